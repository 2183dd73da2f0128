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


def harness_ratio(
    pairs: int, steps: int = 1, workload: Digits | None = None, seed: int = 0
) -> tuple[Interval, float]:
    """Compare a training step in the harness with the same step in a loop of its own.

    Each pair is a row of steps timed as every experiment times them and a row with nothing but
    two looks at the clock around it, in random order. One worker takes both in one process, so
    that nothing but the harness differs.

    Parameters
    ----------
    pairs : int, at least 6
        Pairs of rows.
    steps : int
        Steps in one row: the fewer, the less of the computer's own noise is in a pair.
    workload : Digits, optional
        What is trained; digits with a batch whose step takes about 2.5 ms on the reference
        machine.
    seed : int
        Seed of the order inside the pairs.

    Returns
    -------
    Interval
        Median over the pairs of the ratio of both times, harness over bare, with the
        distribution-free 95% interval of a median: whatever else the computer does now and
        then makes a few ratios large and moves neither.
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
    workload = workload or digits(batch=40)
    (times,) = run_ranks(_pairs, 1, workload, pairs, steps, seed, timeout=PATIENCE)
    ratios = np.sort(times[:, 0] / times[:, 1])
    below = int(binom.ppf(0.025, pairs, 0.5)) - 1  # this many and fewer: less than 2.5% likely
    interval = Interval(np.median(ratios), ratios[below], ratios[pairs - 1 - below])
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
