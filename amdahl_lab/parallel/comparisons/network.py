"""A small image network whose activation is written out by hand, and its mended twin."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

IMAGES, SIDE = 16, 32
STAGES = ("input", "convolution", "activation", "pooling", "dense", "optimiser")


class WrittenOut(nn.Module):
    """GELU by its tanh formula, one operation after the other."""

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers to numbers of the same shape."""
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + torch.tanh(inner))


class Fused(nn.Module):
    """The same formula in one operation of the library."""

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers to numbers of the same shape."""
        return F.gelu(x, approximate="tanh")


def stack(*, fused: bool = False, separable: bool = False) -> list[tuple[str, nn.Module]]:
    """Return the layers with the name of the operator that each belongs to.

    Parameters
    ----------
    fused : bool
        Use the library's activation instead of the one written out.
    separable : bool
        Replace each 3 x 3 convolution but the first by a depthwise and a pointwise one.
    """
    activation = Fused if fused else WrittenOut

    def convolution(inputs: int, outputs: int) -> nn.Module:
        if not separable or inputs == 3:
            return nn.Conv2d(inputs, outputs, 3, padding=1)
        return nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs), nn.Conv2d(inputs, outputs, 1)
        )

    return [
        ("convolution", convolution(3, 32)),
        ("activation", activation()),
        ("convolution", convolution(32, 32)),
        ("activation", activation()),
        ("pooling", nn.MaxPool2d(2)),
        ("convolution", convolution(32, 64)),
        ("activation", activation()),
        ("pooling", nn.MaxPool2d(2)),
        ("dense", nn.Sequential(nn.Flatten(), nn.Linear(64 * 8 * 8, 128))),
        ("activation", activation()),
        ("dense", nn.Linear(128, 10)),
    ]


def stored_images() -> tuple[Tensor, Tensor]:
    """Return a batch of made-up images as bytes, and its labels."""
    source = torch.Generator().manual_seed(0)
    images = torch.randint(256, (IMAGES, 3, SIDE, SIDE), generator=source, dtype=torch.uint8)
    return images, torch.randint(10, (IMAGES,), generator=source)


def prepared(stored: Tensor) -> Tensor:
    """Turn bytes into numbers around 0."""
    return (stored.float() / 255 - 0.5) / 0.25
