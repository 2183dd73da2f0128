"""ZeRO stage 1: every rank holds the whole model, but remembers and updates only its part of it."""

import torch
from torch import nn

from amdahl_lab.parallel.strategies.buckets import (
    gradients_in_one_bucket,
    parameters_in_one_bucket,
)
from amdahl_lab.parallel.strategies.strategy import (
    Batch,
    Loss,
    Strategy,
    share_of,
    update_only,
)


class Zero1(Strategy):
    """Data parallelism whose optimizer state is cut into N parts.

    An all-reduce is a reduce-scatter and an all-gather. Between the two each rank updates the N-th
    part of the parameters, so only that part needs momentum and moments. The optimizer must treat
    each number by itself, as SGD and Adam do.

    Parameters and errors are those of `Strategy`; besides, the optimizer must have one group of
    parameters.

    References
    ----------
    Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 5.1.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss) -> None:
        super().__init__(model, optimizer, loss)
        self.bucket = gradients_in_one_bucket(self.parameters(), self.workers)
        self.flat = parameters_in_one_bucket(self.parameters(), self.workers)
        self.shard = nn.Parameter(self.flat.chunk(self.workers)[self.rank])
        self.shard.grad = self.bucket.chunk(self.workers)[self.rank]
        update_only(optimizer, [self.shard])

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share, weight = share_of(batch, self.workers, self.rank)
        self.bucket.zero_()
        with self.timeline.phase("forward"):
            loss = weight * self.loss(self.model, share)
        with self.timeline.phase("backward"):
            loss.backward()
        self.traffic.reduce_scatter(self.shard.grad, self.bucket)
        with self.timeline.phase("update"):
            self.optimizer.step()
        self.traffic.all_gather(self.flat, self.shard.detach())
        return loss.item()
