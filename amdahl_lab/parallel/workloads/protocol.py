"""What every workload offers, so that strategies and experiments need not know which it is."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Protocol

import numpy as np
from torch import Tensor, nn, optim

Batch = tuple[Tensor, ...]
Rows = slice | np.ndarray
ALL = slice(None)


class Workload(Protocol):
    """Something to train: frozen, and the same in every process that holds it.

    Attributes
    ----------
    name : str
        What records of its experiments begin with, such as "digits".
    size : str
        Named size of its model.
    batch : int
        Samples in one global batch, over all workers.
    seed : int
        Seed of the model's parameters and of the order of the samples.
    quality_name : str
        What `quality` tells, with its unit.
    higher_is_better : bool
        Direction of `quality`.
    """

    name: ClassVar[str]
    quality_name: ClassVar[str]
    higher_is_better: ClassVar[bool]
    size: str
    batch: int
    seed: int

    @property
    def configuration(self) -> Mapping[str, str | int | float | bool]:
        """Everything that sets this workload apart from others of its name, but for the seed."""

    def model(self) -> nn.Module:
        """Build the model, with the same parameters on every call."""

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """Return an optimizer over the trainable parameters of `model`."""

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Load the global batch of one step, or only some of its samples.

        Parameters
        ----------
        step : int
            Number of the step, from 0; the same step gives the same batch on every rank.
        rows : slice or array of int
            Which samples of the batch; all of them by default. They are the same samples that
            the whole batch holds, and only they are worked on.

        Returns
        -------
        tuple of Tensor
            Inputs, then targets; the first dimension of each counts the samples.
        """

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean loss over the samples of `batch`."""

    def quality(self, model: nn.Module) -> float:
        """Return how well `model` does on data that no batch holds."""


def checked(sizes: Collection[str], size: str, batch: int) -> None:
    """Refuse a size that has no such name and a batch without a sample."""
    if size not in sizes:
        raise ValueError(f"size must be one of {', '.join(sizes)}, got {size!r}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch!r}")


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are to be trained, a shared one once."""
    return [each for each in model.parameters() if each.requires_grad]
