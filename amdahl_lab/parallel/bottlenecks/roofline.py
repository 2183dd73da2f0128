"""Single operators on one core: what they compute, what they move, and how long that takes.

For the roofline. Each is a real operator of a training step with its FLOPs and its least traffic:
every tensor travels once between memory and core. Where a real operator moves more than that, or
computes something slower than multiply and add, the roofline misses, and that is the lesson.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor

from amdahl_lab.parallel.blocks import seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.records import ScalingRun

WIDTH = 4096
ELEMENTS = WIDTH * WIDTH  # of a large tensor: 64 MiB, more than any cache of one core
FLOAT = 4  # bytes
BLOCK_SECONDS = 0.03  # of one row of turns
MOST_TURNS = 40

PEAK, STREAM = "matrix product, 1,536", "triad"  # what the roof is made of


class Operator(NamedTuple):
    """One operator with what it must compute and move.

    Parameters
    ----------
    flops : float
        FLOPs of one call: a multiplication and an addition are two, any other function one.
    moved : float
        Bytes of one call if every tensor travels once.
    call : callable
        Runs it once.
    """

    flops: float
    moved: float
    call: Callable[[], object]


def operators() -> dict[str, Operator]:
    """Return the operators by name, their tensors allocated and touched.

    The first two set the roof, the others are to be predicted from it.
    """
    x, y, z = (torch.full((ELEMENTS,), 0.5) for _ in range(3))
    matrix, other = x.view(WIDTH, WIDTH), z.view(WIDTH, WIDTH)
    rows, room = x.view(-1, 1024), z.view(-1, 1024)
    chosen = torch.randint(ELEMENTS // 64, (ELEMENTS // 256,))
    found = z[: 64 * len(chosen)].view(-1, 64)
    images, kernel = torch.full((16, 64, 32, 32), 0.5), torch.full((64, 64, 3, 3), 0.5)
    vector = torch.full((WIDTH,), 0.5)
    big = FLOAT * ELEMENTS

    def momentum() -> None:
        y.mul_(0.5).add_(x)
        z.add_(y, alpha=-1e-9)

    return {
        PEAK: _product(1536, 1536, 1536),
        STREAM: Operator(2 * ELEMENTS, 3 * big, lambda: torch.add(x, y, alpha=0.5, out=z)),
        "matrix product, 1,024": _product(1024, 1024, 1024),
        "convolution, 3 x 3": Operator(
            2 * 9 * 64 * images.numel(),
            2 * images.nbytes + kernel.nbytes,
            lambda: F.conv2d(images, kernel, padding=1),
        ),
        "dense, batch 256": _product(256, WIDTH, WIDTH),
        "dense, batch 16": _product(16, WIDTH, WIDTH),
        "dense, batch 1": Operator(2 * ELEMENTS, big, partial(torch.mv, matrix, vector)),
        "ReLU": Operator(ELEMENTS, 2 * big, lambda: torch.clamp_min(x, 0.0, out=z)),
        "addition": Operator(ELEMENTS, 3 * big, lambda: torch.add(x, y, out=z)),
        "sum": Operator(ELEMENTS, big, x.sum),
        "momentum step": Operator(4 * ELEMENTS, 5 * big, momentum),
        "layer norm": Operator(7 * ELEMENTS, 2 * big, lambda: F.layer_norm(rows, (1024,))),
        "softmax": Operator(5 * ELEMENTS, 2 * big, lambda: torch.softmax(rows, 1, out=room)),
        "exponential": Operator(ELEMENTS, 2 * big, lambda: torch.exp(x, out=z)),
        "embedding rows": Operator(
            0, 2 * found.nbytes, lambda: torch.index_select(x.view(-1, 64), 0, chosen, out=found)
        ),
        "transposed copy": Operator(0, 2 * big, lambda: other.copy_(matrix.t())),
    }


def counts() -> dict[str, tuple[float, float]]:
    """Return FLOPs and bytes of one call of each operator, without running any."""
    with torch.device("meta"):
        return {name: (each.flops, each.moved) for name, each in operators().items()}


def roofline_run(
    rounds: int = 10, *, together: int = 2, seed: int = 0, progress: Progress = True
) -> ScalingRun:
    """Time each operator on one core, and those that set the roof on several at once.

    Parameters
    ----------
    rounds : int, at least 2
        Rounds that count; each starts fresh ranks.
    together : int, at least 1
        Ranks that run `PEAK` and `STREAM` at the same time, each on tensors of its own; 1 leaves
        that out.
    seed : int
        Start of the order of the rounds.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        Seconds of one call; the phases are the operators' names.
    """
    blocks = {1: partial(_slowest, 1, 1, roofline_block)}
    if together > 1:
        blocks[together] = partial(_slowest, together, 1, roofline_block, (PEAK, STREAM))
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("roofline", {"threads": 1, "seed": seed})


def roofline_block(names: Iterable[str] = ()) -> dict[str, float]:
    """Time a row of calls of each operator on this rank, of all where no names are given."""
    there = operators()
    return {name: _seconds(there[name].call) for name in names or there}


def _seconds(call: Callable[[], object]) -> float:
    """Time one call, on average of a row of about `BLOCK_SECONDS`; all ranks make as many."""
    call()
    once = torch.tensor(seconds_per_turn(lambda _: call(), 1))
    dist.all_reduce(once, dist.ReduceOp.MAX)
    turns = min(max(round(BLOCK_SECONDS / once.item()), 1), MOST_TURNS)
    return seconds_per_turn(lambda _: call(), turns)


def _product(rows: int, inner: int, columns: int) -> Operator:
    left, right = torch.full((rows, inner), 0.5), torch.full((columns, inner), 0.5)
    out = torch.empty(rows, columns)
    moved = left.nbytes + right.nbytes + out.nbytes
    return Operator(2 * rows * inner * columns, moved, _multiply(left, right, out))


def _multiply(left: Tensor, right: Tensor, out: Tensor) -> Callable[[], object]:
    return lambda: torch.mm(left, right.t(), out=out)
