"""Layers that are counted and timed, each beside its closed form."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from amdahl_lab import demand
from amdahl_lab.demand import LayerDemand
from amdahl_lab.parallel.workloads.transformer import Attention, Block

IMAGES, CHANNELS, SIDE = 8, 64, 32  # of the convolutions
ROWS, FEATURES = 512, 512  # of the dense layer
ENTRIES, LOOKUPS = 50_000, 4096  # of the table


@dataclass(frozen=True)
class Layer:
    """One layer: how to build it and its input, and what it asks for by the closed form.

    Parameters
    ----------
    name : str
        What it is called in tables and figures.
    build : callable
        Returns the module.
    feed : callable
        Returns its input.
    demand : LayerDemand
        The closed form for that input.
    """

    name: str
    build: Callable[[], nn.Module]
    feed: Callable[[], Tensor]
    demand: LayerDemand


class PerChannel(nn.Module):
    """A depthwise convolution written out: one convolution of one channel for each channel.

    Parameters
    ----------
    channels, kernel : int
        Channels, and side of the kernel.
    """

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.each = nn.ModuleList(
            nn.Conv2d(1, 1, kernel, padding=kernel // 2) for _ in range(channels)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images, shape (n, channels, side, side), to images of the same shape."""
        parts = zip(self.each, images.split(1, dim=1), strict=True)
        return torch.cat([layer(part) for layer, part in parts], dim=1)


def dense(rows: int = ROWS, inputs: int = FEATURES, outputs: int = FEATURES) -> Layer:
    """Return a dense layer."""
    return Layer(
        f"dense, {rows} row" + ("s" if rows > 1 else ""),
        partial(nn.Linear, inputs, outputs),
        partial(torch.randn, rows, inputs),
        demand.dense(rows, inputs, outputs),
    )


def convolution(
    images: int = IMAGES,
    channels: int = CHANNELS,
    side: int = SIDE,
    *,
    kernel: int = 3,
    groups: int = 1,
    name: str = "convolution 3 x 3",
) -> Layer:
    """Return a convolution that keeps the number of channels and the size of the image."""
    make = partial(nn.Conv2d, channels, channels, kernel, padding=kernel // 2, groups=groups)
    return Layer(
        name,
        make,
        partial(torch.randn, images, channels, side, side),
        demand.convolution(images, channels, channels, kernel, side, groups=groups),
    )


def depthwise(images: int = IMAGES, channels: int = CHANNELS, side: int = SIDE) -> Layer:
    """Return a depthwise convolution: every channel by itself."""
    return convolution(images, channels, side, groups=channels, name="depthwise 3 x 3")


def pointwise(images: int = IMAGES, channels: int = CHANNELS, side: int = SIDE) -> Layer:
    """Return a convolution of one pixel: it mixes channels and nothing else."""
    return convolution(images, channels, side, kernel=1, name="pointwise 1 x 1")


def attention(samples: int = 4, sequence: int = 128, hidden: int = 128, heads: int = 4) -> Layer:
    """Return self-attention with its four projections."""
    return Layer(
        "attention",
        partial(Attention, hidden, heads),
        partial(torch.randn, samples, sequence, hidden),
        demand.attention(samples, sequence, hidden),
    )


def embedding(lookups: int = LOOKUPS, entries: int = ENTRIES, features: int = 256) -> Layer:
    """Return a table and rows to look up in it, drawn at random."""
    return Layer(
        "embedding",
        partial(nn.Embedding, entries, features),
        partial(torch.randint, entries, (lookups,)),
        demand.embedding(lookups, entries, features),
    )


def block(samples: int = 1, sequence: int = 128, hidden: int = 64, heads: int = 4) -> Layer:
    """Return a transformer block: attention and a perceptron, each behind a normalisation."""
    parts = (
        demand.attention(samples, sequence, hidden),
        demand.dense(samples * sequence, hidden, 4 * hidden),
        demand.dense(samples * sequence, 4 * hidden, hidden),
    )
    norms = LayerDemand(4 * hidden, 0, 0, 0, 0, 16 * hidden)
    return Layer(
        f"block, {sequence} positions",
        partial(Block, hidden, heads),
        partial(torch.randn, samples, sequence, hidden),
        sum(parts, norms),
    )
