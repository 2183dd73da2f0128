"""What a rank runs between two looks at the clock: one block of an experiment."""

import time
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist

from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Workload

WARM_STEPS = 2
SHORTEST = 1e-9  # seconds, for a rank whose time does not count: a time must be above 0
UNIT_PRODUCTS = 40  # products of two 96 x 96 matrices in one unit: about a millisecond


def train_block(workload: Workload, steps: int) -> dict[str, float]:
    """Time the phases of data-parallel training on this rank.

    Parameters
    ----------
    workload : Workload
        What is trained.
    steps : int
        Steps in each phase, after a few to warm up.

    Returns
    -------
    dict of str to float
        Seconds per step: "step", "compute", "serial", and "communication" where there is any.
    """
    model = workload.model()
    optimizer = workload.optimizer(model)
    training = DataParallel(model, optimizer, workload.loss)
    for number in range(WARM_STEPS):
        training.step(workload.load(number))

    def step(number: int) -> None:
        training.step(workload.load(number))

    def compute(number: int) -> None:
        training.step(workload.load(number), synchronise=False)

    def serial(number: int) -> None:
        workload.load(number)
        optimizer.step()

    seconds = {
        "step": seconds_per_turn(step, steps),
        "compute": seconds_per_turn(compute, steps),  # from here on the copies drift apart
        "serial": seconds_per_turn(serial, steps),
    }
    if training.workers > 1:
        training.bucket.zero_()
        seconds["communication"] = seconds_per_turn(
            lambda _: training.traffic.all_reduce(training.bucket), steps
        )
    return seconds


def losses_block(workload: Workload, steps: int) -> list[float]:
    """Train data parallel and return, on every rank, the global batch's mean loss in each step."""
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    losses = torch.tensor([training.step(workload.load(number)) for number in range(steps)])
    dist.all_reduce(losses)  # each rank holds its share's part of the mean
    return losses.tolist()


def control_block(workers: int, serial_units: int, parallel_units: int) -> dict[str, float]:
    """Time one step of the control on this rank: rank 0's units, then everybody's.

    The law knows equal workers only, and a step's serial fraction is the one that was put in only
    where they are equal. Two things keep them so. Cores that share a chip slow each other down:
    ranks that wait, or are too many for `workers`, therefore do units that nobody counts. And on
    a shared machine one core is slower than the other for a while: the parallel units are taken
    piece by piece from a common count, so that nobody waits for the slower one.

    Parameters
    ----------
    workers : int
        Ranks that share the parallel units; the others only keep their cores as busy.
    serial_units : int
        Units that rank 0 works off while the others wait.
    parallel_units : int
        Units that the workers take from the common count.

    Returns
    -------
    dict of str to float
        Seconds of the step, to the end of the last worker: "step".
    """
    rank = dist.get_rank()
    matrix = torch.eye(96)
    _work(matrix, 5 * UNIT_PRODUCTS)
    dist.barrier()
    start = time.perf_counter()
    if rank == 0:
        _work(matrix, serial_units * UNIT_PRODUCTS)
    _wait_busily(matrix)
    if rank < workers:
        for units in _units_taken(parallel_units):
            _work(matrix, units * UNIT_PRODUCTS)
    end = time.perf_counter()
    _wait_busily(matrix)
    return {"step": end - start if rank < workers else SHORTEST}


def seconds_per_turn(turn: Callable[[int], object], turns: int) -> float:
    """Wait for all ranks, then time a row of turns on this one."""
    dist.barrier()
    start = time.perf_counter()
    for number in range(turns):
        turn(number)
    return (time.perf_counter() - start) / turns


def _units_taken(units: int) -> Iterator[int]:
    """Take piece after piece of the units that all ranks share, until none is left."""
    pieces = _pieces(units)
    store = dist.distributed_c10d._get_default_store()  # torch offers it under no other name
    while (taken := store.add("pieces of the control", 1)) <= len(pieces):
        yield pieces[taken - 1]


def _pieces(units: int) -> list[int]:
    """Cut units into ever smaller pieces: few to take, and at the end nobody waits long."""
    pieces = []
    while units > 0:
        pieces.append(max(units // (4 * dist.get_world_size()), 1))
        units -= pieces[-1]
    return pieces


def _work(matrix: torch.Tensor, products: int) -> None:
    for _ in range(products):
        torch.mm(matrix, matrix)


def _wait_busily(matrix: torch.Tensor) -> None:
    everyone = dist.barrier(async_op=True)
    while not everyone.is_completed():
        _work(matrix, 1)
        time.sleep(0)  # lets the thread that carries the barrier in
