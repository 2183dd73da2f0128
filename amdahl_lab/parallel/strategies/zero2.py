"""ZeRO stage 2: gradients too are cut, and each is given away once it is made."""

import torch
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.buckets import parameters_in_one_bucket
from amdahl_lab.parallel.strategies.memory import tensor_bytes
from amdahl_lab.parallel.strategies.strategy import (
    Batch,
    Loss,
    Strategy,
    share_of,
    update_only,
)


class Zero2(Strategy):
    """Data parallelism whose optimizer state and gradients are cut into N parts.

    Each parameter's gradient is summed and scattered the moment it is complete, and the whole one
    is let go, so that no more than one of them, and its padded copy, is ever there. Each parameter
    is padded to N equal parts. The optimizer must treat each number by itself, as SGD and Adam do.

    Parameters and errors are those of `Strategy`; besides, the optimizer must have one group of
    parameters.

    References
    ----------
    Rajbhandari et al., "ZeRO", arXiv:1910.02054, section 5.2.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss) -> None:
        super().__init__(model, optimizer, loss)
        self.most_gradient_bytes = 0
        self.flat: dict[nn.Parameter, Tensor] = {}
        self.shards: dict[nn.Parameter, nn.Parameter] = {}
        for parameter in self.parameters():
            flat = self.flat[parameter] = parameters_in_one_bucket([parameter], self.workers)
            self.shards[parameter] = nn.Parameter(flat.chunk(self.workers)[self.rank])
            parameter.register_post_accumulate_grad_hook(self._scatter)
        update_only(optimizer, self.shards.values())

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share, weight = share_of(batch, self.workers, self.rank)
        self.optimizer.zero_grad()
        with self.timeline.phase("forward"):
            loss = weight * self.loss(self.model, share)
        with self.timeline.phase("backward"):
            loss.backward()
        with self.timeline.phase("update"):
            self.optimizer.step()
        for parameter, shard in self.shards.items():
            self.traffic.all_gather(self.flat[parameter], shard.detach())
        return loss.item()

    def gradient_bytes(self) -> int:
        """Return the most bytes of gradients that there were at one time."""
        return self.most_gradient_bytes

    def _scatter(self, parameter: nn.Parameter) -> None:
        """Sum one gradient over all ranks and keep this rank's part: autograd calls it."""
        whole = torch.zeros_like(self.flat[parameter])
        whole[: parameter.numel()] = parameter.grad.flatten()
        held = tensor_bytes([parameter.grad, whole, *(each.grad for each in self.shards.values())])
        self.most_gradient_bytes = max(self.most_gradient_bytes, held)
        parameter.grad = None
        shard = self.shards[parameter]
        shard.grad = torch.empty_like(shard)
        self.traffic.reduce_scatter(shard.grad, whole)
