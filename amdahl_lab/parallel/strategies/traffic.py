"""What a strategy sent, counted: so that it can be held against a formula."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial

import torch.distributed as dist
from torch import Tensor

from amdahl_lab.parallel.shared_memory import SharedMemory
from amdahl_lab.parallel.strategies.timeline import MeasuredTimeline

# The names in torch 2.13; before it they ended in "tensor".
_reduce_scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor


@dataclass
class Traffic:
    """The collectives and messages that one rank took part in, and the bytes that it handed over.

    Bytes are those of the tensors: a collective's whole buffer, which is the size that the
    formulas of `amdahl_lab.communication` take, and a message where it is sent. What a collective
    puts on the wire depends on its algorithm. A group of one rank sends nothing and counts nothing.

    Parameters
    ----------
    collectives, messages, bytes : int
        Collectives, messages sent point to point, and the bytes of both.
    kinds : Counter of str
        How often each kind was called, "all_reduce" for one; received messages count here only.
    timeline : MeasuredTimeline, optional
        Where each call is recorded as a phase; it stays behind when the counts are sent away.
    transport : SharedMemory, optional
        What carries `all_reduce` in place of gloo; it stays behind too.
    """

    collectives: int = 0
    bytes: int = 0
    messages: int = 0
    kinds: Counter = field(default_factory=Counter)
    timeline: MeasuredTimeline | None = field(default=None, repr=False, compare=False)
    transport: SharedMemory | None = field(default=None, repr=False, compare=False)

    def all_reduce(self, tensor: Tensor, group: dist.ProcessGroup | None = None) -> None:
        """Replace `tensor` on every rank by the sum over all ranks."""
        if self.transport is not None:
            call = partial(self.transport.all_reduce, tensor)
        else:
            call = partial(dist.all_reduce, tensor, group=group)
        self._collective("all_reduce", tensor, group, call)

    def start_all_reduce(self, tensor: Tensor) -> dist.Work:
        """Start what `all_reduce` does; wait for the result before touching the tensor."""
        if dist.get_world_size() > 1:
            self.count("all_reduce", tensor.nbytes)
        return dist.all_reduce(tensor, async_op=True)

    def broadcast(
        self, tensor: Tensor, source: int = 0, group: dist.ProcessGroup | None = None
    ) -> None:
        """Replace `tensor` on every rank by that of the group's rank `source`."""
        sender = _global(group, source)
        self._collective("broadcast", tensor, group, lambda: dist.broadcast(tensor, sender, group))

    def reduce_scatter(
        self, part: Tensor, whole: Tensor, group: dist.ProcessGroup | None = None
    ) -> None:
        """Fill `part` with this rank's of the N equal parts of the sum of all ranks' `whole`.

        `part` may be that part of `whole` itself.
        """
        if dist.get_world_size(group) == 1:
            part.copy_(whole)
        self._collective(
            "reduce_scatter", whole, group, lambda: _reduce_scatter(part, whole, group=group)
        )

    def all_gather(
        self, whole: Tensor, part: Tensor, group: dist.ProcessGroup | None = None
    ) -> None:
        """Fill `whole` with the equal parts of all ranks, in their order.

        `part` may be this rank's part of `whole` itself.
        """
        if dist.get_world_size(group) == 1:
            whole.copy_(part)
        self._collective("all_gather", whole, group, lambda: _all_gather(whole, part, group=group))

    def all_to_all(
        self,
        received: Tensor,
        sent: Tensor,
        received_sizes: Sequence[int],
        sent_sizes: Sequence[int],
        group: dist.ProcessGroup | None = None,
    ) -> None:
        """Send each rank its piece of `sent`; fill `received` with what each rank sent here.

        Sizes count along the first dimension, one for each rank of the group.
        """
        if dist.get_world_size(group) == 1:
            received.copy_(sent)
        self._collective(
            "all_to_all",
            sent,
            group,
            lambda: dist.all_to_all_single(
                received, sent, list(received_sizes), list(sent_sizes), group=group
            ),
        )

    def send(
        self,
        tensor: Tensor,
        to: int,
        group: dist.ProcessGroup | None = None,
        micro_batch: int | None = None,
    ) -> dist.Work:
        """Start to send `tensor` to the group's rank `to`; wait for the result before changing it.

        It does not wait, so that two ranks may send to each other and only then receive.
        """
        self.count("send", tensor.nbytes)
        with self._phase("send", micro_batch):
            return dist.isend(tensor.contiguous(), _global(group, to), group)

    def recv(
        self,
        tensor: Tensor,
        source: int,
        group: dist.ProcessGroup | None = None,
        micro_batch: int | None = None,
    ) -> Tensor:
        """Wait for a message from the group's rank `source`; put it into `tensor`, return that."""
        self.count("recv", 0)
        with self._phase("recv", micro_batch):
            dist.recv(tensor, _global(group, source), group)
        return tensor

    def count(self, kind: str, size: int) -> None:
        """Count one call of a kind that handed over so many bytes, whoever made it."""
        self.kinds[kind] += 1
        self.bytes += size
        self.messages += kind == "send"
        self.collectives += kind not in ("send", "recv")

    def _collective(
        self, kind: str, tensor: Tensor, group: dist.ProcessGroup | None, call: Callable
    ) -> None:
        if dist.get_world_size(group) == 1:
            return
        with self._phase(kind):
            call()
        self.count(kind, tensor.nbytes)

    def _phase(self, name: str, micro_batch: int | None = None) -> AbstractContextManager:
        if self.timeline is None:
            return nullcontext()
        return self.timeline.phase(name, micro_batch)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "timeline": None, "transport": None}


def _global(group: dist.ProcessGroup | None, rank: int) -> int:
    return rank if group is None else dist.get_global_rank(group, rank)
