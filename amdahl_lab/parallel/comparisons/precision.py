"""The same operators on 32-bit and on 16-bit numbers."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses

from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker.operators import seconds_in_row
from amdahl_lab.records import ScalingRun

KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
OPERATORS = ("product", "small product", "convolution", "depthwise", "sum", "look-up")


def precision_run(rounds: int = 10, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Time operators in both precisions, side by side, on one thread.

    Returns
    -------
    ScalingRun
        Phases "OPERATOR, float32" and "OPERATOR, bfloat16".
    """
    blocks = {1: partial(_slowest, 1, 1, precision_block)}
    return _measured(blocks, rounds, seed, progress).run(
        "half_precision", {"threads": 1, "seed": seed}
    )


@torch.no_grad()
def precision_block() -> dict[str, float]:
    """Time each operator in each precision on this rank, in random order."""
    turns = {
        f"{name}, {kind}": turn
        for kind, dtype in KINDS.items()
        for name, turn in zip(OPERATORS, _turns(dtype), strict=True)
    }
    names = list(turns)
    order = [names[place] for place in torch.randperm(len(names))]
    found = {name: seconds_in_row(turns[name]) for name in order}
    return {name: found[name] for name in names}


def _turns(dtype: torch.dtype) -> tuple[Callable[[], object], ...]:
    large, small = (torch.rand(side, side).to(dtype) for side in (768, 32))
    images, kernel = torch.rand(8, 64, 32, 32).to(dtype), torch.rand(64, 64, 3, 3).to(dtype)
    channel = torch.rand(64, 1, 3, 3).to(dtype)
    table, rows = torch.rand(20_000, 256).to(dtype), torch.randint(20_000, (4096,))
    long = torch.rand(4_000_000).to(dtype)
    return (
        lambda: large @ large,
        lambda: small @ small,
        lambda: F.conv2d(images, kernel, padding=1),
        lambda: F.conv2d(images, channel, padding=1, groups=64),
        lambda: long + long,
        lambda: F.embedding(rows, table),
    )


def largest_error(side: int = 256) -> float:
    """Return the largest relative error of a product in bfloat16, against double precision."""
    source = torch.Generator().manual_seed(0)
    a, b = (torch.rand(side, side, generator=source, dtype=torch.float64) for _ in range(2))
    exact, rough = a @ b, (a.bfloat16() @ b.bfloat16()).double()
    return ((rough - exact).abs() / exact).max().item()
