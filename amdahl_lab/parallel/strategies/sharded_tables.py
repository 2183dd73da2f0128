"""Tables of embeddings of which each rank has some, and two ways through an all-to-all."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.traffic import Traffic


class ShardedTables(nn.Module):
    """Tables of which this rank has its own only, and asks the others for rows of theirs.

    Parameters
    ----------
    tables : nn.ModuleList
        All tables.
    owned : sequence of lists of int
        For each rank the numbers of its tables.
    rank : int
        This rank.
    """

    def __init__(self, tables: nn.ModuleList, owned: Sequence[list[int]], rank: int) -> None:
        super().__init__()
        self.tables, self.owned = tables, owned
        self.own = nn.ModuleList(tables[number] for number in owned[rank])
        self.order = torch.tensor([each for numbers in owned for each in numbers]).argsort()

    def prepare(self, samples: Sequence[int], traffic: Traffic) -> None:
        """Say how many samples each rank brings to the next call, and who counts what is sent."""
        self.samples, self.traffic = samples, traffic

    def forward(self, categories: Tensor) -> Tensor:
        """Map this rank's categories to rows; every rank must call it together."""
        b, T = len(categories), len(self.own)
        asked = [b * len(numbers) for numbers in self.owned]  # of each rank, by this one
        wanted = [each * T for each in self.samples]  # by each rank, of this one
        sent = torch.cat([categories[:, numbers].flatten() for numbers in self.owned])
        received = _AllToAll.apply(sent, wanted, asked, self.traffic).view(sum(self.samples), T)
        rows = [table(column) for table, column in zip(self.own, received.T, strict=True)]
        features = self.tables[0].embedding_dim
        none = self.tables[0].weight.new_empty(0, features)
        found = torch.stack(rows, 1).flatten(0, 1) if rows else none
        if not found.requires_grad:  # frozen, or no table here: still take part on the way back
            found.requires_grad_()
        arrived = _AllToAll.apply(found, asked, wanted, self.traffic).split(asked)
        return torch.cat([each.view(b, -1, features) for each in arrived], 1)[:, self.order]


class _AllToAll(torch.autograd.Function):
    @staticmethod
    def forward(context, sent: Tensor, received_sizes: list, sent_sizes: list, traffic: Traffic):
        context.back = sent_sizes, received_sizes, traffic
        received = sent.new_empty(sum(received_sizes), *sent.shape[1:])
        traffic.all_to_all(received, sent.contiguous(), received_sizes, sent_sizes)
        return received

    @staticmethod
    def backward(context, gradient: Tensor):
        return _AllToAll.apply(gradient, *context.back), None, None, None
