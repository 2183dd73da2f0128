"""What the harness itself costs: the same steps timed by it and in a bare loop, pair by pair."""

import time

import numpy as np
import torch.distributed as dist
from scipy.stats import binom

from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Digits, digits
from amdahl_lab.records import Interval

PATIENCE = 600.0  # seconds for the whole comparison


def harness_seconds(
    pairs: int, steps: int = 4, workload: Digits | None = None, seed: int = 0
) -> tuple[Interval, float]:
    """Seconds that the harness adds to a training step, beside a loop with nothing in it.

    Each pair is a row of steps timed as every experiment times them and a row with nothing but
    two looks at the clock around it, in random order. One worker takes both in one process, so
    that nothing but the harness differs. What it adds to a step does not depend on how long the
    step is, and the computer's noise does: so a short step shows it best.

    Parameters
    ----------
    pairs : int, at least 6
        Pairs of rows.
    steps : int
        Steps in one row, as many as in a block of an experiment.
    workload : Digits, optional
        What is trained; a small network on four images if left out, a millisecond or less.
    seed : int
        Seed of the order inside the pairs.

    Returns
    -------
    Interval
        Median over the pairs of the difference per step, harness less bare loop, in seconds, with
        the distribution-free 95% interval of a median: whatever else the computer does now and
        then makes a few differences large and moves neither.
    float
        Seconds of a step: the median of the bare rows.

    Raises
    ------
    ValueError
        If there are too few pairs for an interval.

    References
    ----------
    The median's interval: Conover, "Practical Nonparametric Statistics", 3rd ed. 1999, section 3.2.
    """
    if pairs < 6:
        raise ValueError(f"pairs must be at least 6 for a 95% interval, got {pairs!r}")
    workload = workload or digits("small", batch=4)
    (times,) = run_ranks(_pairs, 1, workload, pairs, steps, seed, timeout=PATIENCE)
    added = np.sort(times[:, 0] - times[:, 1])
    below = int(binom.ppf(0.025, pairs, 0.5)) - 1  # this many and fewer: less than 2.5% likely
    interval = Interval(np.median(added), added[below], added[pairs - 1 - below])
    return interval, float(np.median(times[:, 1]))


def _pairs(workload: Digits, pairs: int, steps: int, seed: int) -> np.ndarray:
    """Return seconds per step in the harness and in a bare loop, shape (pairs, 2)."""
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    batches = [workload.load(number) for number in range(steps)]

    def step(number: int) -> None:
        training.step(batches[number])

    def bare() -> float:
        dist.barrier()  # as before a row in the harness: it leaves a thread and caches behind
        start = time.perf_counter()
        for batch in batches:
            training.step(batch)
        return (time.perf_counter() - start) / steps

    for _ in range(WARM_STEPS):
        bare()
    order = np.random.default_rng(seed).permuted(np.tile([0, 1], (pairs, 1)), axis=1)
    times = np.empty((pairs, 2))
    for row, both in zip(times, order, strict=True):
        for which in both:
            row[which] = bare() if which else seconds_per_turn(step, steps)
    return times
