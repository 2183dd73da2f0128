"""Fewer bytes for a gradient: hooks for the library's data parallelism, their traffic counted.

Each is what `DataParallelByTorch` takes as `compression`. Both lose something, so training is no
longer the serial training; what it costs and what it saves is measured.
"""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.algorithms.ddp_comm_hooks import powerSGD_hook as library

from amdahl_lab.parallel.strategies.traffic import Traffic

Hook = Callable[[Traffic, dist.GradBucket], torch.futures.Future[Tensor]]


def bf16(traffic: Traffic) -> tuple[Traffic, Hook]:
    """Send gradients as bfloat16: half the bytes of float32, eight bits of each number.

    Parameters
    ----------
    traffic : Traffic
        Where each collective is counted.

    Returns
    -------
    state, hook
        What `DistributedDataParallel.register_comm_hook` takes. The library's own hook of this
        kind needs CUDA.
    """
    return traffic, _send_as_bf16


def power_sgd(
    traffic: Traffic, rank: int = 2, start: int = 2
) -> tuple[library.PowerSGDState, Callable]:
    """Send two thin factors in place of each matrix, by the library's PowerSGD.

    Parameters
    ----------
    traffic : Traffic
        Where each collective is counted. A bucket takes three: what is not compressed, and each
        of the two factors; an empty one counts too.
    rank : int, at least 1
        Columns of a factor. An n x m matrix takes rank (n + m) numbers.
    start : int, at least 2
        Steps without compression at the start.

    References
    ----------
    Vogels, Karimireddy and Jaggi, "PowerSGD: Practical Low-Rank Gradient Compression for
    Distributed Optimization", arXiv:1905.13727.
    """
    if rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank!r}")
    if start < 2:
        raise ValueError(f"start must be at least 2, got {start!r}")

    def hook(state: library.PowerSGDState, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
        return _send_factors(traffic, state, bucket)

    return library.PowerSGDState(None, rank, start), hook


def _send_as_bf16(traffic: Traffic, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    whole = bucket.buffer()
    short = (whole / dist.get_world_size()).to(torch.bfloat16)
    arrived = traffic.start_all_reduce(short).get_future()
    return arrived.then(lambda _: whole.copy_(short))


def _send_factors(
    traffic: Traffic, state: library.PowerSGDState, bucket: dist.GradBucket
) -> torch.futures.Future[Tensor]:
    whole = bucket.buffer()
    compressed = state.iter >= state.start_powerSGD_iter
    before = state.total_numel_after_compression
    arriving = library.powerSGD_hook(state, bucket)
    sent = state.total_numel_after_compression - before if compressed else whole.numel()
    if dist.get_world_size() > 1:
        traffic.count("all_reduce", sent * whole.element_size())
        for _ in range(2 if compressed else 0):
            traffic.count("all_reduce", 0)  # its share is in the bytes above
    return arriving
