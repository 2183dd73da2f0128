"""Embeddings dealt out over the ranks, table by table; everything else is data parallel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.buckets import gradients_in_one_bucket
from amdahl_lab.parallel.strategies.sharded_tables import ShardedTables
from amdahl_lab.parallel.strategies.stages import free_all_but, merged
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy, share_of


class EmbeddingSharded(Strategy):
    """Give each rank some of the tables, and a share of the samples.

    Three all-to-alls a step: the categories go to the owners of their tables, the rows come back,
    and the rows' gradients go to the owners. These get them from everyone, so that only what is
    no table needs an all-reduce. The largest table is given away first, and always to the rank
    that has the fewest rows so far.

    Parameters
    ----------
    model : nn.Module
        Its part `tables` maps categories, shape (b, tables), to rows, shape (b, tables, features);
        the ``tables`` of that part are the embeddings, all of the same number of features.
    optimizer, loss
        As for `Strategy`.

    References
    ----------
    Naumov et al., arXiv:1906.00091, section 3.1.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss) -> None:
        super().__init__(model, optimizer, loss)
        tables = model.tables.tables
        self.weights = [table.weight for table in tables]
        model.tables = ShardedTables(tables, _owned(self.weights, self.workers), self.rank)
        free_all_but(model.tables.own, tables)
        dense = [each for each in self.parameters() if not any(each is w for w in self.weights)]
        self.bucket = gradients_in_one_bucket(dense)

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        shares = [share_of(batch, self.workers, rank) for rank in range(self.workers)]
        self.model.tables.prepare([len(share[0]) for share, _ in shares], self.traffic)
        share, weight = shares[self.rank]
        self.bucket.zero_()
        for table in self.weights:
            table.grad = None
        with self.timeline.phase("forward"):
            loss = weight * self.loss(self.model, share)
        with self.timeline.phase("backward"):
            loss.backward()
        self.traffic.all_reduce(self.bucket)
        with self.timeline.phase("update"):
            self.optimizer.step()
        return loss.item()

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        return merged(super().whole_parameters(), self.group)


def _owned(weights: Sequence[Tensor], workers: int) -> list[list[int]]:
    """Deal tables out by their rows; what is tied stays together."""
    owned: list[list[int]] = [[] for _ in range(workers)]
    rows = [0] * workers
    for weight in sorted(dict.fromkeys(weights), key=len, reverse=True):
        rank = rows.index(min(rows))
        rows[rank] += len(weight)
        owned[rank] += [number for number, each in enumerate(weights) if each is weight]
    return owned
