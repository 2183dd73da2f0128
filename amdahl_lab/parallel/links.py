"""What the links between ranks cost: times of a bare all-reduce over the size of its buffer.

`fitting_communication.fit_latency_bandwidth` turns them into a latency and a bandwidth.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.blocks import seconds_per_turn
from amdahl_lab.parallel.ranks import run_ranks

WARM_ROUNDS = 1
FLOAT = 4  # bytes


def all_reduce_times(
    sizes: Sequence[int], workers: int = 2, rounds: int = 10, *, turns: int = 1, seed: int = 0
) -> dict[int, np.ndarray]:
    """Time all-reduces of several sizes, every size once in each round, in random order.

    Under ``torchrun`` the links are those between its hosts.

    Parameters
    ----------
    sizes : sequence of int, at least 4
        Bytes of each worker's buffer, whole numbers of 4-byte floats.
    workers : int, at least 2
        Number of workers N.
    rounds : int, at least 2
        Rounds that count; one to warm up comes first.
    turns : int, at least 1
        All-reduces in a row for one time: more than one where a single one is too short.
    seed : int
        Seed of the order of the rounds.

    Returns
    -------
    dict of int to ndarray, shape (R,)
        For each size the seconds of one all-reduce in each round, of the slowest rank.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> sorted(all_reduce_times([400, 4000], rounds=3))
    [400, 4000]
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 for them to communicate, got {workers!r}")
    sizes = [int(size) for size in sizes]
    if not sizes or len(set(sizes)) < len(sizes) or any(n < FLOAT or n % FLOAT for n in sizes):
        raise ValueError(f"sizes must be different multiples of {FLOAT} bytes, got {sizes}")
    for name, value, least in (("rounds", rounds, 2), ("turns", turns, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value!r}")
    each_rank = run_ranks(_all_reduces, workers, sizes, rounds, turns, seed)
    slowest = np.max(each_rank, axis=0)[WARM_ROUNDS:]
    return {size: slowest[:, column] for column, size in enumerate(sizes)}


def _all_reduces(sizes: list[int], rounds: int, turns: int, seed: int) -> np.ndarray:
    """Return this rank's seconds of one all-reduce, shape (warm and counted rounds, sizes)."""
    buffers = [torch.zeros(size // FLOAT) for size in sizes]
    order = np.random.default_rng(seed)  # the same on every rank
    seconds = np.zeros((WARM_ROUNDS + rounds, len(sizes)))
    for row in seconds:
        for column in order.permutation(len(sizes)):
            buffer = buffers[column]
            row[column] = seconds_per_turn(lambda _, buffer=buffer: dist.all_reduce(buffer), turns)
    return seconds
