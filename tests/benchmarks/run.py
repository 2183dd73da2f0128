"""Run every benchmark beside this file; each prints its figures beside their goals."""

import subprocess
import sys
from pathlib import Path

benchmarks = sorted(Path(__file__).parent.glob("bench_*.py"))
codes = []
for benchmark in benchmarks:
    print(f"\n== {benchmark.stem}", flush=True)
    codes.append(subprocess.run([sys.executable, benchmark]).returncode)
print(f"\n{len(codes)} benchmarks, {sum(code != 0 for code in codes)} did not finish")
sys.exit(any(codes))
