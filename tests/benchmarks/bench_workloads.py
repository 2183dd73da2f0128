"""What two workers buy on each workload in each size, and where the step's time goes.

    python tests/benchmarks/bench_workloads.py

Data parallel with a fixed global batch, one thread in each rank, by the measuring protocol;
speedups with 95% intervals. A speedup has no goal: the table is there to choose a workload by.
Each size has a batch at which a step on one worker takes tens of milliseconds; it should stay
between 5 and 100 ms, long enough for the clock and short enough for a lab.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import sys  # noqa: E402

import numpy as np  # noqa: E402

from amdahl_lab.fitting import speedups  # noqa: E402
from amdahl_lab.parallel.experiments import training_scaling  # noqa: E402
from amdahl_lab.parallel.workloads import (  # noqa: E402
    ShardedLoading,
    Workload,
    clicks,
    digits,
    text,
)
from amdahl_lab.records import Interval, ScalingRun  # noqa: E402

DIGITS_BATCHES = {"small": 1024, "medium": 1024, "wide": 512}
TEXT_BATCHES = {"small": 64, "medium": 32, "wide": 16, "deep": 32}
CLICKS_BATCHES = {"small": 8192, "medium": 8192, "wide": 2048}
ROUNDS, STEPS = 8, 3
SHORTEST, LONGEST = 5e-3, 100e-3  # seconds of a step on one worker
COLUMNS = "{:<24} {:<7} {:>5} {:>8} {:>9} {:>8} {:>8} {:>7}   {:<22} {:<15} {}"


def workloads() -> list[Workload]:
    """Return every size at its batch, careless loading first, then sharded loading."""
    careless = [
        *(digits(size, batch) for size, batch in DIGITS_BATCHES.items()),
        *(text(size, batch) for size, batch in TEXT_BATCHES.items()),
        *(clicks(size, batch) for size, batch in CLICKS_BATCHES.items()),
    ]
    return [*careless, *(ShardedLoading(each) for each in careless if each.size == "medium")]


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
