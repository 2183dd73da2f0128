"""What a strategy did, counted: so that it can be held against a formula."""

from dataclasses import dataclass

import torch.distributed as dist
from torch import Tensor


@dataclass
class Traffic:
    """The collectives that one rank took part in, and the bytes that it handed to them.

    Bytes are those of the tensors; what a collective sends on the wire depends on its algorithm.
    """

    collectives: int = 0
    bytes: int = 0

    def all_reduce(self, tensor: Tensor) -> None:
        """Replace `tensor` on every rank by the sum over all ranks."""
        dist.all_reduce(tensor)
        self._count(tensor)

    def broadcast(self, tensor: Tensor, source: int = 0) -> None:
        """Replace `tensor` on every rank by that of rank `source`."""
        dist.broadcast(tensor, source)
        self._count(tensor)

    def _count(self, tensor: Tensor) -> None:
        self.collectives += 1
        self.bytes += tensor.numel() * tensor.element_size()
