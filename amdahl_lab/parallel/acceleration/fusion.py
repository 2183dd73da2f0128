"""The same arithmetic with fewer bytes moved: what fusion is.

Two real pieces of a training step, each in two forms that compute the same numbers: the end of a
layer (scale, shift, clamp, add what came in), operation by operation and block by block; and
Adam's update, operation by operation and as one kernel.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from amdahl_lab.parallel.acceleration.reader import median_turn
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.records import ScalingRun

NUMBERS = 1 << 24  # of a tensor at a layer's end: 64 MiB, more than the caches of one core
PARAMETERS = 1 << 23  # that Adam updates
BLOCK = 1 << 17  # numbers that are worked off at a time: 512 KiB
ROW_SECONDS = 0.08
CHAIN, IN_BLOCKS = "layer end, whole tensors", "layer end, in blocks"
ADAM, FUSED_ADAM = "Adam, operation by operation", "Adam, one kernel"


def layer_end(inputs: Tensor, skipped: Tensor, out: Tensor) -> None:
    """Write ReLU(1.1 x + 0.1) + r to `out`, each operation over the whole of what it is given."""
    torch.mul(inputs, 1.1, out=out)
    out.add_(0.1)
    out.clamp_min_(0.0)
    out.add_(skipped)


def in_blocks(inputs: Tensor, skipped: Tensor, out: Tensor, size: int = BLOCK) -> None:
    """Do the same in blocks so small that what one operation wrote is still in the cache."""
    pieces = zip(inputs.split(size), skipped.split(size), out.split(size), strict=True)
    for piece in pieces:
        layer_end(*piece)


def passes(work: Callable[[], object], numbers: int) -> float:
    """Count how often the operations of some work read or write a tensor of so many numbers.

    Every tensor that an operation is given counts once, and once more if it is changed or new.

    Parameters
    ----------
    work : callable
        What is run, once.
    numbers : int
        Numbers in one pass.

    Returns
    -------
    float
        Passes over a tensor of that size.
    """
    with _Traffic() as traffic:
        work()
    return traffic.numbers / numbers


class _Traffic(TorchDispatchMode):
    """Adds up the numbers that operations read and write; views and scalars are free."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.is_view:
            return result
        written: list[object] = []
        given = dict(zip((each.name for each in func._schema.arguments), args, strict=False))
        given |= kwargs or {}
        for argument in func._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write:
                written += tree_leaves(given.get(argument.name))
        pure = {id(each) for each in tree_leaves((kwargs or {}).get("out"))}
        read = [each for each in tree_leaves((args, kwargs)) if id(each) not in pure]
        new = [each for each in tree_leaves(result) if id(each) not in {id(w) for w in written}]
        self.numbers += _numbers(read) + _numbers(written) + _numbers(new)
        return result


def _numbers(leaves: list[object]) -> int:
    tensors = {id(each): each for each in leaves if isinstance(each, Tensor)}
    return sum(each.numel() for each in tensors.values() if each.numel() > 1)


def counted(numbers: int = 4096) -> dict[str, float]:
    """Return the passes over one tensor that each piece in each form makes.

    In blocks only the first reading of each input and the last writing of the result reach memory:
    three passes of nine. PyTorch declares that Adam's one kernel may write the gradients too.
    """
    found = {name: passes(work, numbers) for name, work in works(numbers, numbers).items()}
    return {**found, IN_BLOCKS: 3.0}


def fusion_run(rounds: int = 8, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Time both pieces in both forms, one worker with one thread.

    Parameters
    ----------
    rounds, seed, progress
        As for `experiments.digits_scaling`; a round is a fresh process.

    Returns
    -------
    ScalingRun
        Phases `CHAIN`, `IN_BLOCKS`, `ADAM` and `FUSED_ADAM`.
    """
    blocks = {1: partial(_slowest, 1, 1, fusion_block)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run(
        "fusion", {"numbers": NUMBERS, "parameters": PARAMETERS, "threads": 1, "seed": seed}
    )


def fusion_block() -> dict[str, float]:
    """Time each piece in each form on this rank, in random order."""
    chosen = works(NUMBERS, PARAMETERS)
    order = [list(chosen)[place] for place in torch.randperm(len(chosen))]
    found = {name: median_turn(chosen[name], ROW_SECONDS) for name in order}
    return {name: found[name] for name in chosen}


def works(numbers: int, parameters: int) -> dict[str, Callable[[], object]]:
    """Return the pieces in both forms: numbers at a layer's end, and parameters of Adam."""
    inputs, skipped, out = torch.randn(numbers), torch.randn(numbers), torch.empty(numbers)
    return {
        CHAIN: partial(layer_end, inputs, skipped, out),
        IN_BLOCKS: partial(in_blocks, inputs, skipped, out),
        ADAM: _update(parameters, fused=False),
        FUSED_ADAM: _update(parameters, fused=True),
    }


def _update(numbers: int, *, fused: bool) -> Callable[[], object]:
    parameter = nn.Parameter(torch.full((numbers,), 0.5))
    parameter.grad = torch.full((numbers,), 1e-3)
    optimizer = torch.optim.Adam([parameter], lr=1e-6, foreach=False, fused=fused)
    optimizer.step()  # makes its state
    return optimizer.step
