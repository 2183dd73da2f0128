"""The same training cut in several ways: what each rank holds and sends, and how long a step takes.

`watch` counts, `step_times` times. In the `ScalingRun` of the latter a phase is a way to cut.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from amdahl_lab.parallel.blocks import WARM_STEPS
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import Batch, DataParallel, Loss, Memory
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.parallel.strategies.strategy import share_of
from amdahl_lab.parallel.workloads import Workload
from amdahl_lab.records import ScalingRun

ALONE = "one worker"


class Alone:
    """No strategy: each rank trains by itself, whatever others do.

    Parameters
    ----------
    model, optimizer, loss
        As for `Strategy`.
    micro_batches : int, at least 1
        Parts of the batch that are worked off one after the other before the update.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        micro_batches: int = 1,
    ) -> None:
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.micro_batches = micro_batches

    def step(self, batch: Batch) -> float:
        """Take one step on the whole batch; return its mean loss."""
        self.optimizer.zero_grad()
        total = 0.0
        for m in range(self.micro_batches):
            piece, weight = share_of(batch, self.micro_batches, m)
            loss = weight * self.loss(self.model, piece)
            loss.backward()
            total += loss.item()
        self.optimizer.step()
        return total


class Unsynchronised(DataParallel):
    """Data parallelism that leaves its sum out: wrong, and only there to be timed."""

    def step(self, batch: Batch, synchronise: bool = False) -> float:
        """Take one step without the sum over the ranks."""
        return super().step(batch, synchronise)


@dataclass(frozen=True)
class Watched:
    """What one rank did and held in one step.

    Parameters
    ----------
    kinds : mapping of str to int
        Calls of each kind: collectives, "send" and "recv".
    bytes : int
        Bytes of the collectives' buffers and of the messages sent.
    memory : Memory
        Bytes that it held.
    live : int or None
        The most micro-batches whose backward pass it owed, in a pipeline.
    gathered : int or None
        The most bytes of collected parameters that it held for a moment, with FSDP.
    """

    kinds: Mapping[str, int]
    bytes: int
    memory: Memory
    live: int | None
    gathered: int | None


def watch(cuts: Mapping[str, Cut], workload: Workload, workers: int = 2) -> dict[str, list]:
    """Take one step by each way to cut and count what every rank held and sent.

    Parameters
    ----------
    cuts : mapping of str to callable
        Each takes model, optimizer and loss, as in `strategies.catalogue`.
    workload : Workload
        What is trained.
    workers : int, at least 1
        Number of workers N.

    Returns
    -------
    dict of str to list of Watched
        For each way to cut what each rank saw, in the order of the ranks.
    """
    ranks = run_ranks(_watched, workers, dict(cuts), workload)
    return {name: [rank[name] for rank in ranks] for name in cuts}


def step_times(
    cuts: Mapping[str, Cut],
    workload: Workload,
    workers: int = 2,
    rounds: int = 8,
    *,
    alone: Mapping[str, Cut] | None = None,
    steps: int = 5,
    progress: Progress = True,
) -> ScalingRun:
    """Time steps of several ways to cut one training, beside one worker that trains alone.

    Every block is a row of steps in fresh ranks of one thread each, on a batch that is loaded
    beforehand; of the median step of each rank the slowest counts.

    Parameters
    ----------
    cuts : mapping of str to callable
        Each takes model, optimizer and loss.
    workload : Workload
        What is trained.
    workers : int, at least 2
        Number of workers N.
    rounds : int, at least 2
        Rounds that count; each runs everything once, in random order.
    alone : mapping of str to callable, optional
        More ways for one worker to train alone, beside "one worker".
    steps : int, at least 1
        Steps in one block.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        A phase for each way to cut at N workers, and for "one worker" and each of `alone` at one.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 to cut anything, got {workers!r}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    groups = {1: {ALONE: Alone, **(alone or {})}, workers: dict(cuts)}
    blocks = {
        (count, name): partial(_slowest, count, 1, step_block, workload, cut, steps)
        for count, group in groups.items()
        for name, cut in group.items()
    }
    taken = _measured(blocks, rounds, workload.seed, progress)
    phases = {
        count: {name: taken.phases[count, name]["step"] for name in group}
        for count, group in groups.items()
    }
    parameters = {
        **workload.configuration,
        "steps": steps,
        "threads": 1,
        "seed": workload.seed,
    }
    return replace(taken, phases=phases).run(f"{workload.name}_strategies", parameters)


# What a rank runs ------------------------------------------------------------------------------


def step_block(workload: Workload, cut: Cut, steps: int) -> dict[str, float]:
    """Return this rank's median time of a row of steps, after a few to warm up.

    Now and then one step is held up for about as long as the whole row takes; the mean of a short
    row would be made of that.
    """
    model, batch = workload.model(), workload.load(0)
    training = cut(model, workload.optimizer(model), workload.loss)
    for _ in range(WARM_STEPS):
        training.step(batch)
    dist.barrier()
    moments = [time.perf_counter()]
    for _ in range(steps):
        training.step(batch)
        moments.append(time.perf_counter())
    return {"step": float(np.median(np.diff(moments)))}


def _watched(cuts: Mapping[str, Cut], workload: Workload) -> dict[str, Watched]:
    found = {}
    for name, cut in cuts.items():
        model, batch = workload.model(), workload.load(0)
        training = cut(model, workload.optimizer(model), workload.loss)
        training.watched_step(batch)
        traffic = training.traffic
        found[name] = Watched(
            dict(traffic.kinds),
            traffic.bytes,
            training.memory,
            getattr(training, "most_live", None),
            getattr(training, "gathered", None),
        )
    return found
