"""A generated click log, and a model of embeddings that predicts its clicks."""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

from amdahl_lab.parallel.workloads.click_log import (
    CATEGORIES,
    COUNTS,
    HELD_OUT,
    ClickLog,
    click_log,
    entropy,
)
from amdahl_lab.parallel.workloads.click_model import ClickModel, Interaction, Tables
from amdahl_lab.parallel.workloads.protocol import ALL, Batch, Rows, checked, trainable


class ClicksSize(NamedTuple):
    """A named size: most rows of a table, features in a row, hidden widths below and above.

    A table with fewer rows than there are categories lets several of them share a row.
    """

    most_rows: int
    features: int
    bottom: tuple[int, ...]
    top: tuple[int, ...]


CLICKS_SIZES = {
    "small": ClicksSize(4_096, 8, (32,), (32,)),
    "medium": ClicksSize(65_536, 16, (64,), (128, 64)),
    "wide": ClicksSize(65_536, 64, (256,), (512, 256)),
}


@dataclass(frozen=True)
class Clicks:
    """A log of advertisements shown, and a model that gives odds for a click.

    Parameters
    ----------
    size : str
        The model: one of `CLICKS_SIZES`.
    batch : int
        Lines of the log in one global batch, over all workers.
    seed : int
        Seed of the model's parameters and of the order of the lines.
    log : ClickLog
        The lines.
    """

    name: ClassVar[str] = "clicks"
    quality_name: ClassVar[str] = "share of what can be known about unseen clicks"
    higher_is_better: ClassVar[bool] = True

    size: str
    batch: int
    seed: int
    log: ClickLog = field(repr=False)

    @property
    def configuration(self) -> dict[str, str | int]:
        """Size and batch."""
        return {"size": self.size, "batch": self.batch}

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of each table."""
        most = CLICKS_SIZES[self.size].most_rows
        return tuple(min(each, most) for each in CATEGORIES)

    @property
    def training_lines(self) -> int:
        """Number of lines to train on; the rest, later in the log, tests."""
        return len(self.log) - HELD_OUT

    def model(self) -> ClickModel:
        """Build tables and dense part, with the same parameters on every call."""
        _, features, bottom, top = CLICKS_SIZES[self.size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            tables = Tables(self.rows, features)
            return ClickModel(tables, Interaction(COUNTS, len(self.rows), features, bottom, top))

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return plain stochastic gradient descent over the trainable parameters.

        A row that no line of a batch looks up then stays as it is.
        """
        return torch.optim.SGD(trainable(model), lr=0.6)

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Load the global batch of one step: draw lines, read them, find their rows in the tables.

        Parameters as of `Workload.load`.

        Returns
        -------
        numbers : Tensor of float32, shape (batch, COUNTS)
            Logarithms of the counts.
        categories : Tensor of int64, shape (batch, tables)
            Row of each table.
        clicks : Tensor of float32, shape (batch,)
            1 where there was a click.
        """
        rng = np.random.default_rng([self.seed, step])
        return self._read(rng.integers(self.training_lines, size=self.batch)[rows])

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean log loss, in nats, over the lines of `batch`."""
        numbers, categories, clicks = batch
        return F.binary_cross_entropy_with_logits(model(numbers, categories), clicks)

    def quality(self, model: nn.Module) -> float:
        """Return how far `model` gets from knowing only how many click to knowing what can be.

        0 is the log loss of the mean chance, 1 that of the true chance of each held-out line,
        below which no prediction gets.
        """
        worst, best = self.log_loss_bounds
        return (worst - self.log_loss(model)) / (worst - best)

    @property
    def log_loss_bounds(self) -> tuple[float, float]:
        """Expected log loss, in nats, of the mean chance and of the true chances, held-out."""
        chances = self.log.chances[self.training_lines :]
        return entropy(chances, np.full_like(chances, chances.mean())), entropy(chances, chances)

    @torch.no_grad()
    def log_loss(self, model: nn.Module) -> float:
        """Return the expected log loss, in nats, over the held-out lines."""
        numbers, categories, _ = self._read(np.arange(self.training_lines, len(self.log)))
        predicted = model(numbers, categories).double().sigmoid().numpy()
        return entropy(self.log.chances[self.training_lines :], predicted)

    def _read(self, lines: np.ndarray) -> Batch:
        found = self.log.parsed(lines)
        counts, tokens = found[:, 1 : 1 + COUNTS], found[:, 1 + COUNTS :]
        return (
            torch.from_numpy(np.log1p(counts).astype(np.float32)),
            torch.from_numpy(tokens % np.array(self.rows)),
            torch.from_numpy(found[:, 0].astype(np.float32)),
        )


def clicks(size: str = "medium", batch: int = 4096, seed: int = 0) -> Clicks:
    """Return the click model's workload on the generated log.

    Raises
    ------
    ValueError
        If the size has no such name or the batch holds no line.
    """
    checked(CLICKS_SIZES, size, batch)
    return Clicks(size, batch, seed, click_log())
