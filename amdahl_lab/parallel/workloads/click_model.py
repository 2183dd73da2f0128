"""A model of clicks: tables of embeddings, two perceptrons, and products of all pairs between them.

The tables are a part of their own, so that a strategy can deal their rows out over the workers.

Reference: Naumov et al., "Deep Learning Recommendation Model for Personalization and
Recommendation Systems", arXiv:1906.00091.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Tables(nn.Module):
    """One table of embeddings for each kind of category.

    Parameters
    ----------
    rows : sequence of int
        Rows of each table.
    features : int
        Numbers in a row.
    """

    def __init__(self, rows: Sequence[int], features: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(each, features) for each in rows)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, categories: Tensor) -> Tensor:
        """Map categories, shape (b, tables), to rows, shape (b, tables, features)."""
        found = [table(column) for table, column in zip(self.tables, categories.T, strict=True)]
        return torch.stack(found, 1)


class Interaction(nn.Module):
    """Everything but the tables.

    Parameters
    ----------
    numbers : int
        Dense inputs.
    tables : int
        Number of tables.
    features : int
        Numbers in a row of a table.
    bottom, top : sequence of int
        Widths of the hidden layers below and above the products.
    """

    def __init__(
        self,
        numbers: int,
        tables: int,
        features: int,
        bottom: Sequence[int],
        top: Sequence[int],
    ) -> None:
        super().__init__()
        self.bottom = perceptron([numbers, *bottom, features])
        self.top = perceptron([features + (tables + 1) * tables // 2, *top, 1])

    def forward(self, numbers: Tensor, rows: Tensor) -> Tensor:
        """Map numbers, shape (b, d), and rows, shape (b, tables, features), to scores, (b,)."""
        dense = self.bottom(numbers)
        vectors = torch.cat([dense.unsqueeze(1), rows], 1)
        products = vectors @ vectors.transpose(1, 2)
        first, second = torch.tril_indices(*products.shape[1:], -1)
        return self.top(torch.cat([dense, products[:, first, second]], 1)).squeeze(1)


class ClickModel(nn.Module):
    """Tables and what works on their rows; gives the logarithmic odds of a click.

    Parameters
    ----------
    tables : Tables
        Or anything else that maps categories to rows.
    interaction : Interaction
        The dense part.
    """

    def __init__(self, tables: nn.Module, interaction: Interaction) -> None:
        super().__init__()
        self.tables, self.interaction = tables, interaction

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """Map numbers, shape (b, d), and categories, shape (b, tables), to scores, shape (b,)."""
        return self.interaction(numbers, self.tables(categories))


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Dense layers of these widths with a rectifier between each two."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
