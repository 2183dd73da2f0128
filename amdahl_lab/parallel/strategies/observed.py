"""Counts what a library sends, by watching the calls that reach torch's dispatcher."""

from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.utils._python_dispatch import TorchDispatchMode

from amdahl_lab.parallel.strategies.traffic import Traffic

# Of each operator the kind, and the position of the argument that is the whole buffer.
_OPERATORS = {
    "c10d.allreduce_": ("all_reduce", 0),
    "c10d.broadcast_": ("broadcast", 0),
    "c10d._reduce_scatter_base_": ("reduce_scatter", 1),
    "c10d._allgather_base_": ("all_gather", 0),
    "c10d.alltoall_base_": ("all_to_all", 1),
    "c10d.send": ("send", 0),
    "c10d.recv_": ("recv", 0),
    "_c10d_functional.all_reduce": ("all_reduce", 0),
    "_c10d_functional.all_reduce_": ("all_reduce", 0),
    "_c10d_functional.reduce_scatter_tensor": ("reduce_scatter", 0),
}


class ObservedTraffic(TorchDispatchMode):
    """Adds, inside a with block, the collectives and messages that anyone starts to `traffic`.

    Every operator is slower meanwhile, so nothing in the block should be timed.
    """

    def __init__(self, traffic: Traffic) -> None:
        super().__init__()
        self._traffic = traffic

    def __torch_dispatch__(
        self, operator: Any, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Count the call if it sends something, and let it happen."""
        if any(issubclass(each, DTensor) for each in types):
            return NotImplemented  # it comes back here for the tensors of this rank
        kind, position = _OPERATORS.get(str(operator).removesuffix(".default"), (None, 0))
        if kind is not None:
            self._traffic.count(kind, 0 if kind == "recv" else _size(args[position]))
        return operator(*args, **(kwargs or {}))


def _size(buffer: Tensor | list[Tensor]) -> int:
    tensors = [buffer] if isinstance(buffer, torch.Tensor) else buffer
    return sum(tensor.nbytes for tensor in tensors)
