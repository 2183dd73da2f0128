"""Data parallelism: every rank holds the whole model and works on its share of the batch."""

import torch
from torch import nn

from amdahl_lab.parallel.shared_memory import SharedMemory
from amdahl_lab.parallel.strategies.buckets import gradients_in_one_bucket
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy

TRANSPORTS = ("gloo", "shared")


class DataParallel(Strategy):
    """Train one model on all ranks as if they were one.

    The gradient of a mean over the whole batch is the mean of the shares' gradients, each weighted
    by its share of the samples. So one sum over all ranks gives every rank the gradient that a
    single worker would have, and equal steps keep the copies equal.

    Parameters
    ----------
    model : nn.Module
        On return every rank holds rank 0's parameters and buffers.
    optimizer : torch.optim.Optimizer
        Over the parameters of `model`.
    loss : callable
        ``loss(model, batch)`` returns the mean over the samples of `batch`.
    transport : {"gloo", "shared"}
        What carries the sum: sockets, or memory that the ranks of one machine share, in which the
        gradients then lie.

    Raises
    ------
    ValueError
        If no parameter of `model` is to be trained, or there is no such transport here.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        transport: str = "gloo",
    ) -> None:
        if transport not in TRANSPORTS:
            raise ValueError(f"transport must be one of {TRANSPORTS}, got {transport!r}")
        super().__init__(model, optimizer, loss)
        trainable = [each for each in model.parameters() if each.requires_grad]
        if transport == "shared":
            self.traffic.transport = SharedMemory()
            self.bucket = gradients_in_one_bucket(trainable, zeros=self.traffic.transport.zeros)
        else:
            self.bucket = gradients_in_one_bucket(trainable)

    def step(self, batch: Batch, synchronise: bool = True) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss.

        Parameters
        ----------
        batch : tuple of Tensor
            The same on every rank; the first dimension counts the samples.
        synchronise : bool
            False leaves the sum over the ranks out: only to time the step without it.
        """
        share = tuple(tensor.tensor_split(self.workers)[self.rank] for tensor in batch)
        weight = len(share[0]) / len(batch[0])
        self.bucket.zero_()
        loss = torch.zeros(())
        if weight > 0:
            loss = weight * self.loss(self.model, share)
            loss.backward()
        if synchronise and self.workers > 1:
            self.traffic.all_reduce(self.bucket)
        self.optimizer.step()
        return loss.item()
