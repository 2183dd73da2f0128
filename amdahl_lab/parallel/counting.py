"""Counts what a piece of training does that can make it wait: exact numbers, and no clock.

A clock says that a step is slow. These counts say what it does: how often it sends, how often it
takes a number out of torch, how often it makes a new large tensor.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import torch.distributed as dist
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# A collective of no more bytes carries a number or two, not a gradient.
SMALL_BYTES = 16
_TAKES_OUT = {"tolist", "numpy", "__array__", "item", "__float__", "__int__", "__bool__"}
_TAKES_OUT |= {"__index__", "__format__", "__repr__"}


@dataclass
class Counts:
    """What was done, in exact numbers.

    Parameters
    ----------
    collectives : int
        Collectives of more than `SMALL_BYTES` bytes, such as a gradient, and messages from one
        rank to another; without broadcasts.
    small_collectives : int
        Collectives of no more bytes, such as a loss; without barriers.
    broadcasts, barriers : int
        Broadcasts, and points at which every rank waits for every other.
    numbers, arrays : int
        Tensors of one element, and of more, that were turned into numbers or arrays of Python.
    buffers : int
        New tensors of at least as many bytes as was asked for.
    sent_bytes : int
        Bytes of the tensors that were handed to collectives and messages; of a broadcast, those
        of its source.
    """

    collectives: int = 0
    small_collectives: int = 0
    broadcasts: int = 0
    barriers: int = 0
    numbers: int = 0
    arrays: int = 0
    buffers: int = 0
    sent_bytes: int = 0


@dataclass
class Counting:
    """Counts, inside a with block, what the code of this process does with torch.

    Everything is slower meanwhile, so nothing in the block should be timed.

    Parameters
    ----------
    buffer_bytes : int
        A new tensor counts as a buffer from this size on.
    """

    buffer_bytes: int
    counts: Counts = field(default_factory=Counts)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._open.enter_context(_Calls(self))
        self._open.enter_context(_Operators(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def taken_out(self, tensor: Tensor) -> None:
        """Count a tensor that was turned into something of Python."""
        if tensor.numel() > 1:
            self.counts.arrays += 1
        else:
            self.counts.numbers += 1

    def made(self, results: Iterable[Any], given: Iterable[Any]) -> None:
        """Count the large ones among results that are new and no view of what was given."""
        old = {_storage(one) for one in given if isinstance(one, Tensor)}
        for one in results:
            if not isinstance(one, Tensor) or _storage(one) in old:
                continue
            self.counts.buffers += one.untyped_storage().nbytes() >= self.buffer_bytes

    def sent(self, kind: str, tensors: Iterable[Any]) -> None:
        """Count a collective or a message."""
        size = sum(one.nbytes for one in tensors if isinstance(one, Tensor))
        if "barrier" in kind:
            self.counts.barriers += 1
            return
        self.counts.sent_bytes += size
        if "broadcast" in kind:
            self.counts.broadcasts += 1
        elif size > SMALL_BYTES:
            self.counts.collectives += 1
        else:
            self.counts.small_collectives += 1


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class _Calls(TorchFunctionMode):
    """Sees what Python asks of torch: here tensors turn into numbers."""

    def __init__(self, counting: Counting) -> None:
        super().__init__()
        self._counting = counting

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        name = getattr(function, "__name__", "")
        if name in _TAKES_OUT:
            self._counting.taken_out(args[0])
        return function(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    """Sees what reaches torch's dispatcher, from libraries too: collectives and new tensors."""

    def __init__(self, counting: Counting) -> None:
        super().__init__()
        self._counting = counting

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        kind = str(operator)
        if kind.startswith(("c10d.", "_c10d_functional.")):
            listens = kind.startswith("c10d.broadcast_") and args[2] != dist.get_rank()
            if "recv" not in kind and "wait" not in kind:
                self._counting.sent(kind, [] if listens else tree_leaves(args[:2]))
            return operator(*args, **kwargs)
        result = operator(*args, **kwargs)
        # What comes from outside of torch, a list or an array, arrives as an argument.
        from_outside = kind.startswith("aten.lift_fresh")
        given = () if from_outside else tree_leaves((args, kwargs))
        self._counting.made(tree_leaves(result), given)
        return result
