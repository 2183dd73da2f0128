"""Data parallelism on workers of different speed: who gets which share of the batch.

Rank 0 is slow because it has more to do: it works every sample through once more, for nothing. So
both training and time are real, and the result must be that of one worker.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from amdahl_lab.laws import balanced_split
from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _measured
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import Batch, DataParallel, Loss
from amdahl_lab.parallel.workloads import Workload, digits
from amdahl_lab.records import ScalingRun

EXTRA = 1  # times that rank 0 works a sample through once more
BATCH = 1024
PROBED = (256, 768)  # samples at which both ranks are timed before anything is predicted


class UnequalShares(DataParallel):
    """Data parallelism in which every rank has a share of its own.

    Parameters
    ----------
    model, optimizer, loss
        As for `DataParallel`.
    samples : sequence of int
        Samples for each rank; together the batch.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        samples: Sequence[int],
    ) -> None:
        super().__init__(model, optimizer, loss)
        if len(samples) != self.workers or min(samples) < 0:
            raise ValueError(f"samples must be {self.workers} numbers from 0 on, got {samples}")
        self.samples = list(samples)

    def step(self, batch: Batch, synchronise: bool = True) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share = tuple(tensor.split(self.samples)[self.rank] for tensor in batch)
        weight = len(share[0]) / len(batch[0])
        self.bucket.zero_()
        loss = torch.zeros(())
        if weight > 0:
            loss = weight * self.loss(self.model, share)
            loss.backward()
        if synchronise:
            self.traffic.all_reduce(self.bucket)
        self.optimizer.step()
        return loss.item()


def burdened(loss: Loss, extra: int = EXTRA) -> Loss:
    """Return a loss that, on rank 0, works every sample through `extra` more times for nothing."""

    def work(model: nn.Module, batch: Batch) -> Tensor:
        found = loss(model, batch)
        for _ in range(extra if dist.get_rank() == 0 else 0):
            found = found + 0.0 * loss(model, batch)
        return found

    return work


def split_of(first: int, batch: int = BATCH) -> list[int]:
    """Return the samples of two ranks, of which the first gets so many."""
    return [first, batch - first]


def probe(rounds: int = 6, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Time both ranks by themselves, side by side, on a few and on many samples.

    Parameters
    ----------
    rounds, seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        Two workers; phases "rank K, n samples", the step without synchronisation, and
        "all-reduce", the bare sum of the gradients.
    """
    taken = _measured({2: partial(_probed, digits("medium", BATCH, 0))}, rounds, seed, progress)
    return taken.run("unequal_probe", {"batch": BATCH, "extra": EXTRA, "threads": 1, "seed": seed})


def line_of(run: ScalingRun, rank: int) -> tuple[float, np.ndarray]:
    """Return a rank's seconds of a step without samples, and of each sample in every round.

    The fixed part is taken once, from the median times of a `probe`: two points of one round on a
    busy machine may well fall.
    """
    few, many = PROBED
    times = [run.seconds(2, f"rank {rank}, {n} samples") for n in PROBED]
    low, high = (float(np.median(each)) for each in times)
    fixed = float(np.clip(low - few * (high - low) / (many - few), 0.0, 0.5 * times[1].min()))
    return fixed, (times[1] - fixed) / many


def best_first(run: ScalingRun) -> int:
    """Return how many samples rank 0 should get, from the typical lines of a `probe`."""
    lines = [line_of(run, rank) for rank in (0, 1)]
    fixed, per_sample = (np.array([float(np.median(line[k])) for line in lines]) for k in (0, 1))
    return round(float(balanced_split(BATCH, per_sample, fixed)[0]))


def compared(run: ScalingRun) -> tuple[int, ...]:
    """Return the shares of rank 0 that are worth comparing: even, the best, and beside it."""
    best = best_first(run)
    return tuple(sorted({BATCH // 8, best // 2 + BATCH // 16, best, BATCH // 2, 5 * BATCH // 8}))


def predicted_seconds(run: ScalingRun, first: int) -> np.ndarray:
    """Return the predicted step, in every round of a `probe`: the slower rank, then the sum."""
    ends = []
    for rank, samples in enumerate(split_of(first)):
        fixed, per_sample = line_of(run, rank)
        ends.append(fixed + per_sample * samples)
    return np.maximum(*ends) + run.seconds(2, "all-reduce")


def steps(
    firsts: Sequence[int],
    rounds: int = 8,
    *,
    seed: int = 1,
    progress: Progress = True,
) -> ScalingRun:
    """Time whole steps with different shares for the slow rank.

    Parameters
    ----------
    firsts : sequence of int
        Samples that rank 0 gets, each run once in every round.
    rounds, seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        Two workers; phases "n samples" for rank 0.
    """
    workload = digits("medium", BATCH, 0)
    blocks = {first: partial(_timed, workload, first) for first in firsts}
    taken = _measured(blocks, rounds, seed, progress)
    phases = {2: {f"{first} samples": taken.phases[first]["step"] for first in firsts}}
    parameters = {"batch": BATCH, "extra": EXTRA, "threads": 1, "seed": seed}
    taken = type(taken)(**{**vars(taken), "phases": phases})
    return taken.run("unequal", parameters)


def firsts_of(run: ScalingRun) -> list[int]:
    """Return the shares of rank 0 that a run of `steps` holds, rising."""
    return sorted(int(phase.split()[0]) for phase in run.phases)


def largest_difference(first: int, taken: int = 5, batch: int = 100) -> float:
    """Train on an uneven split and return the largest difference of a parameter from serial."""
    workload = digits("medium", batch, 0)
    model = workload.model()
    optimizer = workload.optimizer(model)
    for number in range(taken):
        optimizer.zero_grad()
        workload.loss(model, workload.load(number)).backward()
        optimizer.step()
    serial = [each.detach() for each in model.parameters()]
    ranks = run_ranks(_trained, 2, workload, split_of(first, batch), taken)
    return max(
        float((mine - one).abs().max())
        for rank in ranks
        for mine, one in zip(rank, serial, strict=True)
    )


# What a rank runs ------------------------------------------------------------------------------


def _training(workload: Workload, samples: Sequence[int]) -> UnequalShares:
    model = workload.model()
    return UnequalShares(model, workload.optimizer(model), burdened(workload.loss), samples)


def _trained(workload: Workload, samples: Sequence[int], taken: int) -> list[Tensor]:
    training = _training(workload, samples)
    for number in range(taken):
        training.step(workload.load(number))
    return [each.detach() for each in training.model.parameters()]


def _timed(workload: Workload, first: int) -> dict[str, float]:
    ranks = run_ranks(step_block, 2, workload, split_of(first))
    return {"step": max(ranks)}


def step_block(workload: Workload, samples: Sequence[int], turns: int = 4) -> float:
    """Time whole steps on this rank."""
    training, batch = _training(workload, samples), workload.load(0)
    for _ in range(WARM_STEPS):
        training.step(batch)
    return seconds_per_turn(lambda _: training.step(batch), turns)


def _probed(workload: Workload) -> dict[str, float]:
    ranks = run_ranks(probe_block, 2, workload)
    found = {
        f"rank {number}, {n} samples": rank[n] for number, rank in enumerate(ranks) for n in PROBED
    }
    return {**found, "all-reduce": max(rank[0] for rank in ranks)}


def probe_block(workload: Workload, turns: int = 3) -> dict[int, float]:
    """Time this rank's own steps on a few and on many samples, and the bare all-reduce as 0."""
    batch = workload.load(0)
    training = _training(workload, [len(batch[0]), 0])
    found = {}
    for samples in PROBED:
        training.samples = [0, 0]
        training.samples[training.rank] = samples
        training.samples[1 - training.rank] = len(batch[0]) - samples
        for _ in range(WARM_STEPS):
            training.step(batch, synchronise=False)
        found[samples] = seconds_per_turn(lambda _: training.step(batch, False), turns)
    training.bucket.zero_()
    found[0] = seconds_per_turn(lambda _: training.traffic.all_reduce(training.bucket), 10)
    return found
