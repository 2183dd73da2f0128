"""Data parallelism that sends while it still computes."""

from functools import partial

import torch
import torch.distributed as dist
from torch import nn

from amdahl_lab.parallel.strategies.buckets import cut_into_buckets
from amdahl_lab.parallel.strategies.data_parallel import DataParallel
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, share_of


class OverlappedDataParallel(DataParallel):
    """Data parallelism in several buckets, each sent as soon as its gradients are there.

    The backward pass finds the gradients of the last layers first. While it goes on to the layers
    before, theirs travel already.

    Parameters
    ----------
    model, optimizer, loss
        As for `DataParallel`.
    bucket_bytes : int, at least 1
        A bucket takes in parameters until the next would make it larger; a larger parameter has a
        bucket of its own.

    Raises
    ------
    ValueError
        If no parameter of `model` is to be trained or `bucket_bytes` is below 1.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        bucket_bytes: int = 1 << 20,
    ) -> None:
        super().__init__(model, optimizer, loss)
        trainable = [each for each in model.parameters() if each.requires_grad]
        self.buckets = cut_into_buckets(self.bucket, trainable, bucket_bytes)[::-1]
        self._missing: list[int] = []  # gradients of each bucket that are not there yet
        self._sent: list[dist.Work] = []
        for number, (_, parameters) in enumerate(self.buckets):
            for each in parameters:
                each.register_post_accumulate_grad_hook(partial(self._arrived, number))

    def step(self, batch: Batch, synchronise: bool = True) -> float:
        """Take one step on the global batch; see `DataParallel.step`."""
        share, weight = share_of(batch, self.workers, self.rank)
        self.bucket.zero_()
        self._missing = [len(parameters) for _, parameters in self.buckets] if synchronise else []
        self._sent = []
        loss = weight * self.loss(self.model, share)
        loss.backward()
        self._missing = [0] * len(self._missing)  # a parameter that the loss did not use
        self._send()
        for work in self._sent:
            work.wait()
        self.optimizer.step()
        return loss.item()

    def _arrived(self, number: int, _: nn.Parameter) -> None:
        if self._missing:
            self._missing[number] -= 1
            self._send()

    def _send(self) -> None:
        """Send what is whole, in the same order on every rank: the others answer in that order."""
        while len(self._sent) < len(self._missing) and self._missing[len(self._sent)] == 0:
            bucket, _ = self.buckets[len(self._sent)]
            self._sent.append(self.traffic.start_all_reduce(bucket))
