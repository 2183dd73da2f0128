"""Data parallelism: every rank holds the whole model and works on its share of the batch."""

import torch
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy


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

    Raises
    ------
    ValueError
        If no parameter of `model` is to be trained.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss) -> None:
        super().__init__(model, optimizer, loss)
        self.bucket = _gradients_in_one_bucket(model)

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


def _gradients_in_one_bucket(model: nn.Module) -> Tensor:
    """Lay all gradients side by side, so that one collective carries them and nothing is copied."""
    trainable = [each for each in model.parameters() if each.requires_grad]
    if not trainable:
        raise ValueError("model must have parameters to train, got none that require gradients")
    bucket = torch.zeros(sum(each.numel() for each in trainable), dtype=trainable[0].dtype)
    pieces = bucket.split([each.numel() for each in trainable])
    for parameter, piece in zip(trainable, pieces, strict=True):
        parameter.grad = piece.view_as(parameter)  # backward adds to it in place
    return bucket
