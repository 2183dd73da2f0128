"""Three small real runs to lay beside the published ones: digits to a target, text and clicks cut.

`time_to_target` trains until unseen data are read well enough, so that samples to the target and
throughput are both measured. `cut_scaling` times one training cut in several ways.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.blocks import WARM_STEPS
from amdahl_lab.parallel.experiments import Progress, _distinct, _measured, _slowest
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import (
    Column,
    DataParallel,
    EmbeddingSharded,
    Pipeline,
    Row,
    TensorParallel,
)
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.parallel.workloads import (
    TEXT_SIZES,
    ShardedLoading,
    Text,
    Workload,
    digits,
)
from amdahl_lab.parallel.workloads.handwriting import Digits
from amdahl_lab.records import ScalingRun

EXCHANGES = {"all_reduce", "all_to_all", "send", "recv"}
LOOK_EVERY = 512  # samples between two looks at the quality


def time_to_target(
    batches: Sequence[int] = (64, 256),
    workers: Sequence[int] = (1, 2),
    rounds: int = 4,
    *,
    target: float = 0.95,
    size: str = "medium",
    most_samples: int = 400_000,
    progress: Progress = True,
) -> dict[int, ScalingRun]:
    """Train on the digits, data parallel, until a share of unseen ones is read right.

    Each worker loads its own share of a batch.

    Parameters
    ----------
    batches : sequence of int
        Global batches B to compare; the learning rate is the same for all.
    workers : sequence of int
        Numbers of workers N to compare.
    rounds : int, at least 2
        Rounds that count. Each starts from another seed, the same for every B and N.
    target : float, inside 0 to 1
        Share of the held-out digits that must be read right.
    size : str
        The network; see `workloads.digits`.
    most_samples : int
        Samples after which a training gives up.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    dict of int to ScalingRun
        For each batch a run with the phases "step", seconds per step, and "to target", seconds of
        all steps to the target, looks at the quality left out. Their ratio is the number of steps.

    Raises
    ------
    ValueError
        If an argument is out of range.
    RankError
        If the target is not reached after `most_samples`.
    """
    if not 0 < target < 1:
        raise ValueError(f"target must be inside 0 to 1, got {target!r}")
    batches, workers = _distinct("batches", batches), _distinct("workers", workers)
    blocks = {
        N: _once_a_round(N, target_block, size, batches, target, most_samples) for N in workers
    }
    taken = _measured(blocks, rounds, 0, progress)
    fixed = {"size": size, "target": target, "threads": 1}
    return {
        B: replace(
            taken,
            phases={
                N: {phase: taken.phases[N][f"{phase} {B}"] for phase in ("step", "to target")}
                for N in workers
            },
        ).run("digits_to_target", {**fixed, "batch": B})
        for B in batches
    }


def target_block(
    size: str, batches: Sequence[int], target: float, most_samples: int, seed: int
) -> dict[str, float]:
    """Train with each batch in turn, on this rank and the others, until the target is met."""
    found = {}
    for B in np.random.default_rng(seed).permutation(batches).tolist():
        steps, seconds = _trained_to_target(digits(size, B, seed), target, most_samples)
        found |= {f"step {B}": seconds / steps, f"to target {B}": seconds}
    return found


def _trained_to_target(workload: Digits, target: float, most_samples: int) -> tuple[int, float]:
    """Return the steps to the target and their seconds; the clock stands between rows of steps."""
    model = workload.model()
    sharded = ShardedLoading(workload)
    training = DataParallel(model, workload.optimizer(model), sharded.loss)
    steps, seconds, every = 0, 0.0, max(1, LOOK_EVERY // workload.batch)
    reached = torch.tensor(0.0)
    while not reached:
        if steps * workload.batch > most_samples:
            raise RuntimeError(f"{target:.0%} not reached after {steps} steps of {workload.batch}")
        dist.barrier()
        start = time.perf_counter()
        for number in range(steps, steps + every):
            training.step(sharded.load(number))
        seconds += time.perf_counter() - start
        steps += every
        reached.fill_(workload.quality(model) >= target)
        dist.broadcast(reached, 0)
    return steps, seconds


def steps_taken(run: ScalingRun, workers: int) -> list[int]:
    """Return the number of steps in each round of a run of `time_to_target`."""
    ratio = run.seconds(workers, "to target") / run.seconds(workers, "step")
    return [round(float(each)) for each in ratio]


def text_cuts(workload: Text, micro_batches: int = 4) -> dict[str, Cut]:
    """Return the two ways to cut the character transformer itself, by name.

    Parameters
    ----------
    workload : Text
        The transformer.
    micro_batches : int, at least 1
        Micro-batches of the pipeline.
    """
    layers, hidden, heads, _ = TEXT_SIZES[workload.size]
    head = hidden // heads
    plan: dict[str, Column | Row] = {}
    for block in range(1, layers + 1):
        for name in ("query", "key", "value"):
            plan[f"{block}.attention.{name}"] = Column(head)
        plan[f"{block}.attention.out"] = Row(head)
        plan[f"{block}.perceptron.up"], plan[f"{block}.perceptron.down"] = Column(), Row()
    return {
        "tensor parallel": partial(TensorParallel, plan=plan),
        "pipeline": partial(Pipeline, micro_batches=micro_batches),
    }


def click_cuts() -> dict[str, Cut]:
    """Return two ways to divide the click model: every table everywhere, or tables dealt out."""
    return {"data parallel": DataParallel, "sharded embeddings": EmbeddingSharded}


def cut_scaling(
    workload: Workload,
    cuts: Mapping[str, Cut],
    rounds: int = 6,
    *,
    workers: int = 2,
    steps: int = 4,
    progress: Progress = True,
) -> dict[str, ScalingRun]:
    """Time a training on one worker, and cut in several ways over more.

    Parameters
    ----------
    workload : Workload
        What is trained; its batches are loaded before the clock starts.
    cuts : mapping of str to callable
        Each takes model, optimizer and loss, as in `strategies.catalogue`.
    rounds : int, at least 2
        Rounds that count.
    workers : int, at least 2
        Number of workers N.
    steps : int, at least 1
        Steps in one block.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    dict of str to ScalingRun
        For each cut a run at 1 and N workers, the one worker's rounds shared by all, with the
        phases "step" and, at N, "exchange": seconds of a step in which the rank that spends most
        of them there sends, receives or waits for the others.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 to cut anything, got {workers!r}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    alone = partial(_slowest, 1, 1, cut_block, workload, DataParallel, steps)
    blocks = {
        name: partial(_slowest, workers, 1, cut_block, workload, cut, steps)
        for name, cut in cuts.items()
    }
    taken = _measured({"": alone, **blocks}, rounds, workload.seed, progress)
    parameters = {**workload.configuration, "steps": steps, "threads": 1, "seed": workload.seed}
    return {
        name: replace(taken, phases={"": taken.phases[""], name: taken.phases[name]}).run(
            f"{workload.name}_{name.replace(' ', '_')}", parameters, {1: "", workers: name}
        )
        for name in cuts
    }


def cut_block(workload: Workload, cut: Cut, steps: int) -> dict[str, float]:
    """Time a row of steps of one way to cut on this rank."""
    model = workload.model()
    training = cut(model, workload.optimizer(model), workload.loss)
    batches = [workload.load(number) for number in range(WARM_STEPS + steps)]
    for batch in batches[:WARM_STEPS]:
        training.step(batch)
    training.timeline.restart()
    start = time.perf_counter()
    for batch in batches[WARM_STEPS:]:
        training.step(batch)
    seconds = {"step": (time.perf_counter() - start) / steps}
    if training.workers > 1:
        spent = [each.seconds for each in training.timeline.phases if each.name in EXCHANGES]
        seconds["exchange"] = sum(spent) / steps
    return seconds


def sent_in_a_step(
    workload: Workload, cuts: Mapping[str, Cut], workers: int = 2
) -> dict[str, tuple[dict[str, int], int]]:
    """Take one step by each cut; return the calls that rank 0 made, by kind, and their bytes."""
    return run_ranks(_sent, workers, workload, dict(cuts))[0]


def _sent(workload: Workload, cuts: Mapping[str, Cut]) -> dict[str, tuple[dict[str, int], int]]:
    found = {}
    for name, cut in cuts.items():
        model = workload.model()
        training = cut(model, workload.optimizer(model), workload.loss)
        training.step(workload.load(0))
        found[name] = (dict(training.traffic.kinds), training.traffic.bytes)
    return found


def _once_a_round(workers: int, block: Callable, *args: object) -> Callable[[], dict[str, float]]:
    """Return a block that is given the number of its round as its last argument."""
    numbers = count()

    def run() -> dict[str, float]:
        results = run_ranks(block, workers, *args, next(numbers))
        return {phase: max(result[phase] for result in results) for phase in results[0]}

    return run
