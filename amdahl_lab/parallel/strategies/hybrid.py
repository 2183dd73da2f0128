"""A mesh of ranks: along one side copies of the model, along the other one copy cut to pieces."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from amdahl_lab.parallel.strategies.buckets import gradients_in_one_bucket
from amdahl_lab.parallel.strategies.model_parallel import ModelParallel
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy, share_of


class Hybrid(Strategy):
    """Data parallelism between copies, each of which tensor or pipeline parallelism cuts.

    Ranks are numbered copy by copy, so that those of one copy, who talk most, are neighbours. Each
    copy works on its share of the samples; then the ranks that hold the same piece of the model
    sum its gradient.

    Parameters
    ----------
    model, optimizer, loss
        As for `Strategy`.
    copies : int
        Copies of the model, a divisor of the number of ranks.
    cut : callable
        ``cut(model, optimizer, loss, group=group)`` cuts one copy over the ranks of a group:
        `TensorParallel` or `Pipeline`, with their other arguments filled in by
        `functools.partial`.

    Raises
    ------
    ValueError
        If the copies do not divide the ranks.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        copies: int,
        cut: Callable[..., ModelParallel],
    ) -> None:
        super().__init__(model, optimizer, loss)
        if copies < 1 or self.workers % copies:
            raise ValueError(f"copies must divide the {self.workers} ranks, got {copies!r}")
        names = ("copy", "piece")
        mesh = init_device_mesh("cpu", (copies, self.workers // copies), mesh_dim_names=names)
        self.between, self.copies = mesh.get_group("copy"), copies
        self.inner = cut(model, optimizer, loss, group=mesh.get_group("piece"))
        self.traffic, self.timeline = self.inner.traffic, self.inner.timeline
        self.bucket = gradients_in_one_bucket(self.parameters())

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share, weight = share_of(batch, self.copies, dist.get_rank(self.between))
        self.bucket.zero_()
        loss = self.inner.gradients(share, weight)
        self.traffic.all_reduce(self.bucket, self.between)
        with self.timeline.phase("update"):
            self.optimizer.step()
        return loss

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        return self.inner.whole_parameters()
