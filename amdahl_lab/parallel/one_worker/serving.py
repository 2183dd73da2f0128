"""Latency of a network's answers over the batch: many single calls, none averaged away."""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter

import torch

from amdahl_lab.machine import load_average, this_machine
from amdahl_lab.parallel.experiments import _Measured
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.workloads import Digits, digits
from amdahl_lab.records import ScalingRun
from amdahl_lab.timing import Values

BATCHES = (1, 4, 16, 64, 256)
WARM_CALLS = 20
DIGITS_KEPT = 7  # a tenth of a microsecond; more would only be longer to keep
PATIENCE = 300.0


def answer_times(
    batches: Sequence[int] = BATCHES,
    calls: int = 400,
    *,
    size: str = "wide",
    seed: int = 0,
) -> ScalingRun:
    """Time single calls of a network at several batch sizes.

    Parameters
    ----------
    batches : sequence of int, each at least 1
        Images in one call.
    calls : int, at least 2
        Calls of each batch size. In every round each size is called once, in random order, so
        calls of one size lie apart in time.
    size : str
        The network; see `workloads.digits`.
    seed : int
        Start of the network.

    Returns
    -------
    ScalingRun
        One worker with one thread; for each size b the phase "batch b", one value for each call.

    Raises
    ------
    ValueError
        If a size is below 1 or occurs twice, or there are too few calls.
    """
    sizes = list(batches)
    if not sizes or len(set(sizes)) < len(sizes) or min(sizes) < 1:
        raise ValueError(f"batches must be different whole numbers, at least 1, got {sizes}")
    if calls < 2:
        raise ValueError(f"calls must be at least 2, got {calls!r}")
    started, load_before = datetime.now(UTC).isoformat(timespec="seconds"), load_average()
    workload = digits(size, max(sizes), seed)
    (seconds,) = run_ranks(calls_block, 1, workload, sizes, calls, timeout=PATIENCE)
    phases = {
        f"batch {b}": Values(tuple(row[:WARM_CALLS]), tuple(row[WARM_CALLS:]))
        for b, row in zip(sizes, seconds, strict=True)
    }
    taken = _Measured({1: phases}, this_machine(), started, load_before, load_average(), calls)
    return taken.run("answer_times", {"size": size, "threads": 1, "seed": seed})


def calls_block(workload: Digits, sizes: Sequence[int], calls: int) -> list[list[float]]:
    """Return the seconds of each call on this rank, for each size warm-ups first."""
    model = workload.model().eval()
    images, _ = workload.load(0)
    seconds: list[list[float]] = [[] for _ in sizes]
    with torch.inference_mode():
        for _ in range(WARM_CALLS + calls):
            for place in torch.randperm(len(sizes)):
                asked = images[: sizes[place]]
                start = perf_counter()
                model(asked)
                seconds[place].append(round(perf_counter() - start, DIGITS_KEPT))
    return seconds
