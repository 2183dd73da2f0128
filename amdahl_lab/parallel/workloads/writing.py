"""The text of this book, and a transformer that continues it character by character."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

from amdahl_lab.parallel.workloads.protocol import ALL, Batch, Rows, checked, trainable
from amdahl_lab.parallel.workloads.transformer import transformer
from amdahl_lab.recorded.text import book_text

# Printable ASCII and the newline: 96 characters, which 1, 2, 3 and 4 workers divide.
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
_NUMBERS = {character: number for number, character in enumerate(CHARACTERS)}


class TextSize(NamedTuple):
    """Blocks L, features h, heads and positions s of a named size."""

    layers: int
    hidden: int
    heads: int
    sequence: int


TEXT_SIZES = {
    "small": TextSize(layers=2, hidden=48, heads=4, sequence=32),
    "medium": TextSize(layers=2, hidden=96, heads=4, sequence=64),
    "wide": TextSize(layers=2, hidden=240, heads=12, sequence=32),
    "deep": TextSize(layers=12, hidden=48, heads=4, sequence=32),
}


@dataclass(frozen=True)
class Text:
    """Text of this book, and a transformer that gives odds for the next character.

    Parameters
    ----------
    size : str
        The network: one of `TEXT_SIZES`.
    batch : int
        Sequences in one global batch, over all workers.
    seed : int
        Seed of the model's parameters and of the order of the sequences.
    tied : bool
        Whether the head shares the embedding's table.
    training, held_out : str
        Text to train on and, apart from it, to test on.
    """

    name: ClassVar[str] = "text"
    quality_name: ClassVar[str] = "bits per unseen character"
    higher_is_better: ClassVar[bool] = False

    size: str
    batch: int
    seed: int
    tied: bool
    training: str = field(repr=False)
    held_out: str = field(repr=False)

    @property
    def configuration(self) -> dict[str, str | int | bool]:
        """Size and batch, and whether weights are tied."""
        return {"size": self.size, "batch": self.batch, "tied": self.tied}

    @property
    def sequence(self) -> int:
        """Positions s that the network sees at once."""
        return TEXT_SIZES[self.size].sequence

    def model(self) -> nn.Sequential:
        """Build embedding, blocks and head, with the same parameters on every call."""
        layers, hidden, heads, sequence = TEXT_SIZES[self.size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return transformer(layers, hidden, heads, len(CHARACTERS), sequence, self.tied)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return Adam over the trainable parameters.

        Its epsilon is larger than usual: a gradient that is nothing but rounding, as that of the
        keys' bias is, must not become a step of full length.
        """
        return torch.optim.Adam(trainable(model), lr=2e-3, eps=1e-5, fused=True)

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Load the global batch of one step: draw stretches of text and number their characters.

        Parameters as of `Workload.load`.

        Returns
        -------
        inputs, targets : Tensor of int64, shape (batch, s)
            Characters, and for each the one that follows it.
        """
        rng = np.random.default_rng([self.seed, step])
        last = len(self.training) - self.sequence
        starts = rng.integers(last, size=self.batch)[rows]
        return _sequences(self.training, starts, self.sequence)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross entropy, in nats, over the characters of `batch`."""
        inputs, targets = batch
        return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())

    @torch.no_grad()
    def quality(self, model: nn.Module) -> float:
        """Return the bits per character on the held-out text, cut into whole sequences."""
        starts = np.arange(0, len(self.held_out) - self.sequence, self.sequence)
        batch = _sequences(self.held_out, starts, self.sequence)
        return self.loss(model, batch).item() / math.log(2)


def text(size: str = "medium", batch: int = 32, seed: int = 0, tied: bool = False) -> Text:
    """Return the character model's workload on the snapshot of this book's text.

    Raises
    ------
    ValueError
        If the size has no such name or the batch holds no sequence.
    """
    checked(TEXT_SIZES, size, batch)
    return Text(size, batch, seed, tied, *book_text())


def _sequences(characters: str, starts: np.ndarray, length: int) -> Batch:
    """Number the characters of each stretch, one by one, as a simple tokenizer does."""
    stretches = [characters[start : start + length + 1] for start in starts]
    numbers = [[_NUMBERS[character] for character in stretch] for stretch in stretches]
    found = torch.tensor(numbers, dtype=torch.int64).view(len(starts), length + 1)
    return found[:, :-1], found[:, 1:]
