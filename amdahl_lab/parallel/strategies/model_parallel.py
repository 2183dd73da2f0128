"""What the strategies that cut the model have in common: every rank works on all samples."""

from abc import abstractmethod

from amdahl_lab.parallel.strategies.strategy import Batch, Strategy


class ModelParallel(Strategy):
    """Cuts one model over the ranks of a group; parameters are those of `Strategy`.

    Several such groups can each work on a share of the samples: see `Hybrid`.
    """

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        self.optimizer.zero_grad()
        loss = self.gradients(batch)
        with self.timeline.phase("update"):
            self.optimizer.step()
        return loss

    @abstractmethod
    def gradients(self, batch: Batch, weight: float = 1.0) -> float:
        """Add the gradients of the weighted mean loss; return this rank's part of it."""
