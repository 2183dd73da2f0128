"""The same numbers in another order: strided against contiguous reads, and layouts of images."""

import time
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses

from amdahl_lab.parallel.blocks import seconds_per_turn
from amdahl_lab.parallel.bottlenecks.roofline import ELEMENTS, FLOAT
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.records import ScalingRun

STRIDES = (1, 2, 4, 8, 16, 32, 64)
READ = ELEMENTS // STRIDES[-1]  # elements read in every case: 2**18
LINE = 64 // FLOAT  # elements of one cache line
SIDES = (16, 32, 64)  # pixels along an image's side
PASSES = 3


def layout_run(rounds: int = 10, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Time reads of equally many numbers that lie apart, and convolutions in two layouts and sizes.

    Parameters
    ----------
    rounds, seed, progress
        As for `roofline.roofline_run`.

    Returns
    -------
    ScalingRun
        Seconds on one core. "stride k": reading `READ` numbers, k places apart, from memory.
        "channels first", "channels last": one convolution. "images k", "convolution k": reading
        one batch of k x k images from bytes to floats, and one convolution on it.
    """
    blocks = {1: partial(_slowest, 1, 1, layout_block)}
    return _measured(blocks, rounds, seed, progress).run("layout", {"threads": 1, "seed": seed})


def layout_block() -> dict[str, float]:
    """Time every case on this rank."""
    numbers = torch.full((ELEMENTS,), 0.5)
    seconds = {f"stride {stride}": _cold_read(numbers, stride) for stride in STRIDES}
    images, kernel = torch.full((16, 64, 32, 32), 0.5), torch.full((64, 64, 3, 3), 0.5)
    last = images.to(memory_format=torch.channels_last)
    seconds["channels first"] = _turns(lambda: F.conv2d(images, kernel, padding=1))
    seconds["channels last"] = _turns(lambda: F.conv2d(last, kernel, padding=1))
    first = torch.full((32, 3, 3, 3), 0.5)
    for side in SIDES:
        stored = torch.full((32, 3, side, side), 7, dtype=torch.uint8)
        ready = stored.float() / 255
        seconds[f"images {side}"] = _turns(lambda stored=stored: stored.float().div_(255), 20)
        seconds[f"convolution {side}"] = _turns(
            lambda ready=ready: F.conv2d(ready, first, padding=1), 20
        )
    return seconds


def _cold_read(numbers: torch.Tensor, stride: int) -> float:
    """Sum `READ` numbers that lie `stride` apart, after everything was put out of the caches."""
    chosen = numbers[: READ * stride : stride]
    chosen.sum()  # the first call of a process takes longer
    spent = 0.0
    for _ in range(PASSES):
        numbers.add_(0.0)  # 64 MiB through the caches; its end is what stays in them
        start = time.perf_counter()
        chosen.sum()
        spent += time.perf_counter() - start
    return spent / PASSES


def _turns(call, turns: int = 3) -> float:
    call()
    return seconds_per_turn(lambda _: call(), turns)
