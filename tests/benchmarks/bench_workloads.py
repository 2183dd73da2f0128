"""What two workers buy on each workload in each size, and where the step's time goes.

    python tests/benchmarks/bench_workloads.py

Data parallel with a fixed global batch, one thread in each rank, by the measuring protocol;
speedups with 95% intervals. A speedup has no goal: the table is there to choose a workload by.
Steps on one worker should take 5 to 100 ms, long enough for the clock and short for a lab.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import sys  # noqa: E402

import numpy as np  # noqa: E402

from amdahl_lab.fitting import speedups  # noqa: E402
from amdahl_lab.parallel.experiments import training_scaling  # noqa: E402
from amdahl_lab.parallel.workloads import (  # noqa: E402
    CLICKS_SIZES,
    DIGITS_SIZES,
    TEXT_SIZES,
    ShardedLoading,
    Workload,
    clicks,
    digits,
    text,
)
from amdahl_lab.records import Interval, ScalingRun  # noqa: E402

ROUNDS, STEPS = 8, 4
SHORTEST, LONGEST = 5e-3, 100e-3  # seconds of a step on one worker
COLUMNS = "{:<24} {:<7} {:>5} {:>8} {:>9} {:>8} {:>8} {:>7}   {:<22} {:<15} {}"


def workloads() -> list[Workload]:
    """Return every size at one batch, careless loading first, then sharded where it matters."""
    return [
        *(digits(size, 256) for size in DIGITS_SIZES),
        *(text(size, 16) for size in TEXT_SIZES),
        *(clicks(size, 2048) for size in CLICKS_SIZES),
        ShardedLoading(digits("medium", 256)),
        ShardedLoading(text("medium", 16)),
        ShardedLoading(clicks("small", 2048)),
        ShardedLoading(clicks("medium", 2048)),
    ]


def share(run: ScalingRun, workers: int, phase: str) -> float:
    """Return the typical share of a phase in the step."""
    return float(np.median(run.seconds(workers, phase) / run.seconds(workers)))


def verdict(gain: Interval) -> str:
    """Say on which side of 1 the whole interval of a speedup lies."""
    if gain.low > 1:
        return "gains"
    return "loses" if gain.high < 1 else "undecided"


def row(workload: Workload) -> str:
    """Measure one workload on one and two workers and lay the figures out."""
    parameters = sum(each.numel() for each in workload.model().parameters())
    run = training_scaling(workload, (1, 2), ROUNDS, steps=STEPS, progress=False)
    one, gain = float(np.median(run.seconds(1))), speedups(run)[2]
    return COLUMNS.format(
        workload.name,
        workload.size,
        workload.batch,
        f"{parameters / 1e3:,.0f}k",
        f"{one * 1e3:.1f} ms",
        f"{share(run, 1, 'serial'):.1%}",
        f"{share(run, 2, 'communication'):.1%}",
        f"{run.load_before:.2f}",
        f"{gain.estimate:.2f} ({gain.low:.2f} to {gain.high:.2f})",
        verdict(gain),
        "in range" if SHORTEST <= one <= LONGEST else "STEP OUT OF RANGE",
    )


if __name__ == "__main__":
    heads = ("workload", "size", "batch", "params", "step N=1", "serial", "comm.", "load")
    print(COLUMNS.format(*heads, "speedup N=2 (95%)", "two workers", "5 to 100 ms"))
    for each in workloads():
        if len(sys.argv) < 2 or each.name in sys.argv[1:]:
            print(row(each), flush=True)
