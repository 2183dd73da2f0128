"""Handwritten digits, and a small convolutional network that reads them."""

import functools
import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

from amdahl_lab.parallel.workloads.protocol import ALL, Batch, Rows, checked, trainable

# Channels of the two convolutions and width of the dense layer.
DIGITS_SIZES = {"small": (8, 16, 32), "medium": (16, 32, 64), "wide": (16, 32, 2048)}
TRAINING_SHARE = 0.8


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, 8 x 8 pixels, and a small convolutional network that reads them.

    Parameters
    ----------
    size : str
        The network: "small" (10 thousand parameters), "medium" (38 thousand), "wide" (1.1 million).
    batch : int
        Images in one global batch, over all workers.
    seed : int
        Seed of the model's parameters, of the order of the images and of their distortions.
    images : ndarray of float32, shape (n, 64)
        Pixels between 0 and 1.
    labels : ndarray of int64, shape (n,)
        The digits.
    """

    name: ClassVar[str] = "digits"
    quality_name: ClassVar[str] = "share of unseen digits read right"
    higher_is_better: ClassVar[bool] = True

    size: str
    batch: int
    seed: int
    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)

    @property
    def configuration(self) -> dict[str, str | int]:
        """Size and batch."""
        return {"size": self.size, "batch": self.batch}

    @property
    def training_images(self) -> int:
        """Number of images to train on; the rest, later in the file, tests."""
        return math.floor(TRAINING_SHARE * len(self.labels))

    def model(self) -> nn.Module:
        """Build the network, with the same parameters on every call."""
        first, second, width = DIGITS_SIZES[self.size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return nn.Sequential(
                nn.Unflatten(1, (1, 8, 8)),
                nn.Conv2d(1, first, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(first, second, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(second * 16, width),
                nn.ReLU(),
                nn.Linear(width, 10),
            )

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return stochastic gradient descent with momentum over the trainable parameters."""
        return torch.optim.SGD(trainable(model), lr=0.1, momentum=0.9)

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Load the global batch of one step: draw images, turn, scale and shift each.

        Where every rank does this for all images and keeps its share, as careless input pipelines
        do, it is the part of the step that more workers do not divide.

        Parameters as of `Workload.load`.

        Returns
        -------
        images : Tensor, shape (batch, 64)
        labels : Tensor of int64, shape (batch,)
        """
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.integers(self.training_images, size=self.batch)[rows]
        maps = _distortions(self.batch, rng)[rows]
        images = torch.from_numpy(self.images[chosen])
        return _distorted(images, maps), torch.from_numpy(self.labels[chosen])

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross entropy over the images of `batch`."""
        images, labels = batch
        return F.cross_entropy(model(images), labels)

    @torch.no_grad()
    def accuracy(self, model: nn.Module) -> float:
        """Return the share of the held-out images that `model` reads right."""
        images = torch.from_numpy(self.images[self.training_images :])
        labels = torch.from_numpy(self.labels[self.training_images :])
        return (model(images).argmax(1) == labels).double().mean().item()

    def quality(self, model: nn.Module) -> float:
        """Return the accuracy."""
        return self.accuracy(model)


def digits(size: str = "medium", batch: int = 1024, seed: int = 0) -> Digits:
    """Return the digits workload on scikit-learn's 1,797 handwritten digits.

    Raises
    ------
    ValueError
        If the size has no such name or the batch holds no image.
    """
    checked(DIGITS_SIZES, size, batch)
    return Digits(size, batch, seed, *_handwriting())


@functools.cache
def _handwriting() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.data / 16).astype(np.float32), found.target.astype(np.int64)


def _distortions(count: int, rng: np.random.Generator) -> Tensor:
    """Draw affine maps, shape (count, 2, 3), all at once: a row is then the same in any share."""
    angle = torch.from_numpy(rng.uniform(-0.2, 0.2, count).astype(np.float32))  # radians
    scale = torch.from_numpy(rng.uniform(0.9, 1.1, count).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-0.15, 0.15, (count, 2)).astype(np.float32))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    return torch.cat([scale.view(-1, 1, 1) * turn, shift.unsqueeze(2)], 2)


def _distorted(images: Tensor, maps: Tensor) -> Tensor:
    count = len(images)
    if count == 0:  # torch has no grid of no image
        return images
    grid = F.affine_grid(maps, (count, 1, 8, 8), align_corners=False)
    pictures = F.grid_sample(images.view(-1, 1, 8, 8), grid, align_corners=False)
    return pictures.view(count, 64)
