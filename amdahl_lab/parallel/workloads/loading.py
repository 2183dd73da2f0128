"""The careful input pipeline: a rank loads its share of the batch and nothing else."""

from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor, nn, optim

from amdahl_lab.parallel.workloads.protocol import ALL, Batch, Rows, Workload


@dataclass(frozen=True)
class ShardedLoading:
    """A workload whose batches only name samples; they are loaded where the loss is taken.

    A strategy cuts the names as it would cut the samples, so each rank loads what it works on.

    Parameters
    ----------
    workload : Workload
        What is trained. Its own `load` works on the whole batch on every rank.
    """

    workload: Workload

    size = property(attrgetter("workload.size"))
    batch = property(attrgetter("workload.batch"))
    seed = property(attrgetter("workload.seed"))
    configuration = property(attrgetter("workload.configuration"))
    quality_name = property(attrgetter("workload.quality_name"))
    higher_is_better = property(attrgetter("workload.higher_is_better"))

    @property
    def name(self) -> str:
        """The workload's name, with the way of loading."""
        return f"{self.workload.name}_sharded_loading"

    def model(self) -> nn.Module:
        """Build the workload's model."""
        return self.workload.model()

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """Return the workload's optimizer."""
        return self.workload.optimizer(model)

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Name the samples of one step, without the work of loading them.

        Returns
        -------
        names : Tensor of int64, shape (samples, 2)
            Step and place in the global batch.
        """
        places = torch.arange(self.batch)[rows]
        return (torch.stack([torch.full_like(places, step), places], 1),)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Load the samples that `batch` names, all of one step, and return their mean loss."""
        (names,) = batch
        return self.workload.loss(model, self.workload.load(int(names[0, 0]), names[:, 1].numpy()))

    def quality(self, model: nn.Module) -> float:
        """Return the workload's quality."""
        return self.workload.quality(model)
