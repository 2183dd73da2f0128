"""Strong and weak scaling of one workload, each worker loading only its own share.

In the first chapter every worker loads the whole batch, on purpose. Here the input is divided as
well, so that what is left undivided is the update and whatever the workers do to each other.
"""

from collections.abc import Sequence
from functools import partial

import torch.distributed as dist

from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _distinct, _measured, _slowest
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Workload, digits
from amdahl_lab.records import ScalingRun


def strong_study(
    workers: Sequence[int] = (1, 2),
    rounds: int = 10,
    *,
    batch: int = 1024,
    steps: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Train on the digits with a fixed global batch: the work stays, the time should fall.

    Parameters
    ----------
    workers : sequence of int
        Numbers of workers N to compare.
    rounds : int, at least 2
        Rounds that count.
    batch : int, at least the largest N
        Images in the global batch.
    steps : int, at least 1
        Steps in one block of one phase.
    seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        Seconds per step in the phases "step"; "compute", without the exchange of gradients; and
        "serial", the update that every worker does in full.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    counts = _distinct("workers", workers)
    return _study(dict.fromkeys(counts, batch), {"batch": batch}, rounds, steps, seed, progress)


def weak_study(
    workers: Sequence[int] = (1, 2),
    rounds: int = 10,
    *,
    batch_per_worker: int = 512,
    steps: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Train on the digits with a fixed batch for each worker: the work grows, the time should stay.

    Parameters
    ----------
    workers, rounds, steps, seed, progress
        As for `strong_study`.
    batch_per_worker : int, at least 1
        Images that each worker holds.

    Returns
    -------
    ScalingRun
        As of `strong_study`, with the parameter "batch_per_worker".

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    batches = {N: N * batch_per_worker for N in _distinct("workers", workers)}
    return _study(batches, {"batch_per_worker": batch_per_worker}, rounds, steps, seed, progress)


def _study(
    batches: dict[int, int],
    told: dict[str, int],
    rounds: int,
    steps: int,
    seed: int,
    progress: Progress,
) -> ScalingRun:
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    for N, batch in batches.items():
        if batch < N:
            raise ValueError(f"batch must hold an image for each of {N} workers, got {batch!r}")
    blocks = {
        N: partial(_slowest, N, 1, share_block, digits("medium", batch, seed), steps)
        for N, batch in batches.items()
    }
    parameters = {"size": "medium", **told, "steps": steps, "threads": 1, "seed": seed}
    kind = "weak" if "batch_per_worker" in told else "strong"
    return _measured(blocks, rounds, seed, progress).run(f"digits_{kind}_study", parameters)


def share_block(workload: Workload, steps: int) -> dict[str, float]:
    """Time steps in which this rank loads its own share of the batch and no more."""
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    each, left = divmod(workload.batch, training.workers)
    first = training.rank * each + min(training.rank, left)
    mine = slice(first, first + each + (training.rank < left))
    weight = (mine.stop - mine.start) / workload.batch

    def step(number: int, exchange: bool = True) -> None:
        training.bucket.zero_()
        loss = weight * workload.loss(model, workload.load(number, mine))
        loss.backward()
        if exchange and dist.get_world_size() > 1:
            training.traffic.all_reduce(training.bucket)
        training.optimizer.step()

    for number in range(WARM_STEPS):
        step(number)
    return {
        "step": seconds_per_turn(step, steps),
        "compute": seconds_per_turn(lambda number: step(number, exchange=False), steps),
        "serial": seconds_per_turn(lambda _: training.optimizer.step(), steps),
    }
