"""Many jobs side by side, each between two looks at one reference.

A round starts fresh ranks for each number of workers. The ranks build one job after the other, in
random order, and time a row of its steps. Before and after each row they time the reference, a
small step that is always the same: it tells how fast the machine was just then.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel, Strategy, TensorParallel
from amdahl_lab.parallel.strategies.strategy import share_of
from amdahl_lab.parallel.workloads.shaped import Shaped, shaped
from amdahl_lab.prediction import Job, Measured

REFERENCE = ("perceptron", 256, 3, 128)  # about a millisecond and a half, and one megabyte
LOOK_SECONDS = 0.012  # of one look at the reference
ROW_SECONDS = 0.06  # of one row of steps
PHASE_STEPS = 4
WARM_STEPS = 2
WARM_LOOKS = 10
PATIENCE = 300.0  # seconds for one round on one number of workers


def measure_jobs(
    jobs: Sequence[Job],
    rounds: int,
    rng: np.random.Generator,
    *,
    phases: bool = False,
    progress: Callable[[Sequence[int]], Sequence[int]] = lambda numbers: numbers,
) -> list[Measured]:
    """Time jobs in rounds, each job once in each round, in random order.

    Parameters
    ----------
    jobs : sequence of Job
        What to run, all different.
    rounds : int, at least 2
        Rounds.
    rng : numpy.random.Generator
        Source of the orders.
    phases : bool
        Also time the phases of a step, where the job is serial or data parallel.
    progress : callable
        Wraps the numbers of the rounds, to show a bar.

    Returns
    -------
    list of Measured
        In the order of `jobs`. A step's time is that of the slowest rank.

    Raises
    ------
    ValueError
        If a job occurs twice or a number is out of range.
    """
    if not jobs or len(set(jobs)) < len(jobs):
        raise ValueError(f"jobs must be different and at least one, got {len(jobs)}")
    if rounds < 2:
        raise ValueError(f"rounds must be at least 2, got {rounds!r}")
    found: dict[Job, list[dict[str, float]]] = {job: [] for job in jobs}
    for _ in progress(range(rounds)):
        for workers in rng.permutation(sorted({job.workers for job in jobs})):
            mine = [job for job in jobs if job.workers == workers]
            mine = [mine[place] for place in rng.permutation(len(mine))]
            ranks = run_ranks(round_block, int(workers), mine, phases, timeout=PATIENCE)
            for job, rows in zip(mine, zip(*ranks, strict=True), strict=True):
                found[job].append(_joined(rows))
    return [
        Measured(
            job,
            {name: [row[name] for row in rows] for name in rows[0] if name != "look"},
            [row["look"] for row in rows],
        )
        for job, rows in found.items()
    ]


def round_block(jobs: Sequence[Job], phases: bool) -> list[dict[str, float]]:
    """Time each job in turn on this rank; all ranks must call it together.

    Parameters
    ----------
    jobs : sequence of Job
        What to run, in this order.
    phases : bool
        Also time the phases.

    Returns
    -------
    list of dict of str to float
        For each job the seconds of "step", of "look", the reference before and after it, and of
        each phase.
    """
    reference = _reference()
    for _ in range(WARM_LOOKS):
        reference()
    look = partial(seconds_in_row, reference, LOOK_SECONDS)
    found, before = [], look()
    for job in jobs:
        workload = shaped(job.family, job.width, job.depth, job.batch)
        training = _training(job, workload)
        step = _stepper(training, workload)
        for _ in range(WARM_STEPS):
            step()
        seconds = {"step": seconds_in_row(step, ROW_SECONDS)}
        after = look()
        seconds["look"] = (before * after) ** 0.5
        if phases and job.arrangement in ("serial", "data"):
            seconds |= _phases(workload, training)
        found.append(seconds)
        before = after
    return found


def seconds_in_row(turn: Callable[[], object], seconds: float, most: int = 40) -> float:
    """Time one turn, on average of a row of 3 to `most` that takes about so many seconds."""
    start = time.perf_counter()
    turn()
    once = torch.tensor(time.perf_counter() - start)
    dist.all_reduce(once, dist.ReduceOp.MAX)  # the same number of turns on all ranks
    turns = int(np.clip(seconds / once.item(), 3, most))
    dist.barrier()
    start = time.perf_counter()
    for _ in range(turns):
        turn()
    return (time.perf_counter() - start) / turns


def _reference() -> Callable[[], None]:
    """Return a step of the reference on this rank alone, whatever the number of ranks."""
    workload = shaped(*REFERENCE)
    model, batch = workload.model(), workload.load(0)
    optimizer = workload.optimizer(model)

    def step() -> None:
        optimizer.zero_grad()
        workload.loss(model, batch).backward()
        optimizer.step()

    return step


def _training(job: Job, workload: Shaped) -> Strategy:
    model = workload.model()
    optimizer = workload.optimizer(model)
    if job.arrangement == "tensor":
        return TensorParallel(model, optimizer, workload.loss, workload.tensor_plan)
    transport = "shared" if job.transport == "shared" else "gloo"
    return DataParallel(model, optimizer, workload.loss, transport)


def _stepper(training: Strategy, workload: Shaped) -> Callable[[], None]:
    numbers = iter(range(10**9))
    return lambda: training.step(workload.load(next(numbers)))


def _phases(workload: Shaped, training: DataParallel) -> dict[str, float]:
    """Time a step's phases on this rank: the same calls as in a step, a clock between them."""
    spent: dict[str, list[float]] = {}
    dist.barrier()
    for number in range(PHASE_STEPS):
        clock = time.perf_counter
        marks = {"start": clock()}
        batch = workload.load(number)
        marks["load"] = clock()
        share, weight = share_of(batch, training.workers, training.rank)
        training.bucket.zero_()
        loss = weight * workload.loss(training.model, share)
        marks["forward"] = clock()
        loss.backward()
        marks["backward"] = clock()
        dist.barrier()  # what follows is the exchange alone, without waiting for the slower
        ready = clock()
        if training.workers > 1:
            training.traffic.all_reduce(training.bucket)
            spent.setdefault("exchange", []).append(clock() - ready)
        ready = clock()
        training.optimizer.step()
        spent.setdefault("update", []).append(clock() - ready)
        for name, start in (("load", "start"), ("forward", "load"), ("backward", "forward")):
            spent.setdefault(name, []).append(marks[name] - marks[start])
    return {name: sum(values) / len(values) for name, values in spent.items()}


def _joined(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Join what the ranks timed: the slowest counts for the step, the mean for a phase."""
    slowest = {"step", "look"}
    return {
        name: max(row[name] for row in rows)
        if name in slowest
        else sum(row[name] for row in rows) / len(rows)
        for name in rows[0]
    }
