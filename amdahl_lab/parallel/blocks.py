"""What a rank runs between two looks at the clock: one block of an experiment."""

import time
from collections.abc import Callable

import torch
import torch.distributed as dist

from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Digits

WARM_STEPS = 2
UNIT_PRODUCTS = 40  # products of two 96 x 96 matrices in one unit: about a millisecond


def train_block(workload: Digits, steps: int) -> dict[str, float]:
    """Time the phases of data-parallel training on this rank.

    Parameters
    ----------
    workload : Digits
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
            lambda _: dist.all_reduce(training.bucket), steps
        )
    return seconds


def control_block(serial_units: int, parallel_units: int) -> dict[str, float]:
    """Time one step of the control on this rank: rank 0's units, then everybody's.

    Parameters
    ----------
    serial_units : int
        Units that rank 0 works off while the others wait.
    parallel_units : int
        Units that are dealt out over all ranks.

    Returns
    -------
    dict of str to float
        Seconds of the step: "step".
    """
    rank, workers = dist.get_rank(), dist.get_world_size()
    share = len(range(rank, parallel_units, workers))
    matrix = torch.eye(96)
    _work(matrix, 5)

    def step(_: int) -> None:
        if rank == 0:
            _work(matrix, serial_units)
        dist.barrier()
        _work(matrix, share)

    return {"step": seconds_per_turn(step, 1)}


def seconds_per_turn(turn: Callable[[int], object], turns: int) -> float:
    """Wait for all ranks, then time a row of turns on this one."""
    dist.barrier()
    start = time.perf_counter()
    for number in range(turns):
        turn(number)
    return (time.perf_counter() - start) / turns


def _work(matrix: torch.Tensor, units: int) -> None:
    for _ in range(units * UNIT_PRODUCTS):
        torch.mm(matrix, matrix)
