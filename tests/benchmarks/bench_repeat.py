"""Do two full measurements agree? The first chapter's experiment, again and again.

    python tests/benchmarks/bench_repeat.py
    python tests/benchmarks/bench_repeat.py --keep FOLDER --at-most 7

Takes about seven minutes on a quiet machine: twenty measurements, each as the first chapter's lab
takes it and in a process of its own. With a folder to keep them in, the work can be split: each
call takes at most so many and the last one prints the figures.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from figure import Figure

PAIRS = 10
LAB = "experiments.digits_scaling((1, 2, 4), rounds=8, progress=False)"
TAKE = (
    "import sys; from amdahl_lab.parallel import experiments; "
    f"from amdahl_lab.storage import save_run; save_run({LAB}, sys.argv[1])"
)


def take(folder: Path, at_most: int) -> list[Path]:
    """Take the measurements that are missing, at most so many; return those that there are."""
    files = [folder / f"measurement_{number:02d}.json" for number in range(2 * PAIRS)]
    for file in [file for file in files if not file.exists()][:at_most]:
        subprocess.run([sys.executable, "-c", TAKE, str(file)], check=True)
    return [file for file in files if file.exists()]


def figures(files: list[Path]) -> list[Figure]:
    """Return how often two measurements agree, and how often one shows a speedup at all."""
    from amdahl_lab.fitting import speedups
    from amdahl_lab.storage import load_run

    found = [speedups(load_run(file))[2] for file in files]
    overlap = within = 0
    for first, second in zip(found[::2], found[1::2], strict=True):
        overlap += first.low <= second.high and second.low <= first.high
        # The difference of two logarithms has the interval that both make together.
        apart = abs(math.log(first.estimate / second.estimate))
        halves = [math.log(each.high / each.low) / 2 for each in (first, second)]
        within += apart <= math.hypot(*halves)
        print(f"  (T1/T2: {first}; again: {second})")
    shown = sum(each.low > 1 for each in found)
    return [
        Figure(f"pairs of {PAIRS} whose intervals overlap", overlap, PAIRS - 1, "pairs"),
        Figure(f"pairs of {PAIRS} that differ within both", within, PAIRS - 1, "pairs"),
        Figure(
            f"of {len(found)} runs, in 10: interval of S(2) above 1",
            10 * shown / len(found),
            9,
            "runs",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder to keep the measurements in")
    parser.add_argument("--at-most", type=int, default=2 * PAIRS, help="measurements in this call")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        files = take(chosen.keep or Path(scratch), chosen.at_most)
        if len(files) < 2 * PAIRS:
            print(f"  ({len(files)} of {2 * PAIRS} measurements taken: call again)")
            return
        for figure in figures(files):
            print(figure)


if __name__ == "__main__":
    main()
