"""Workloads of any width and depth: the same data and losses, a model in the shape you ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor, nn, optim

from amdahl_lab.parallel.strategies import Column, Row
from amdahl_lab.parallel.workloads.handwriting import digits
from amdahl_lab.parallel.workloads.protocol import ALL, Batch, Rows, Workload, trainable
from amdahl_lab.parallel.workloads.transformer import transformer
from amdahl_lab.parallel.workloads.writing import CHARACTERS, text

PIXELS, CLASSES = 64, 10
SEQUENCE, HEADS = 32, 4


@dataclass(frozen=True)
class Shaped:
    """A model of one family in a free width and depth, trained by plain gradient descent.

    Parameters
    ----------
    family : str
        "perceptron" and "convolution" read digits, "transformer" continues text.
    width : int, at least 1
        Features of each hidden layer, channels of each convolution, or the transformer's features,
        a multiple of its 4 heads.
    depth : int, at least 1
        Hidden layers, convolutions, or blocks.
    data : Workload
        Where batches and loss come from.
    """

    family: str
    width: int
    depth: int
    data: Workload

    batch = property(attrgetter("data.batch"))
    seed = property(attrgetter("data.seed"))
    name = property(attrgetter("family"))
    quality_name = property(attrgetter("data.quality_name"))
    higher_is_better = property(attrgetter("data.higher_is_better"))

    @property
    def size(self) -> str:
        """Width and depth as one word."""
        return f"{self.width}x{self.depth}"

    @property
    def configuration(self) -> Mapping[str, str | int | float | bool]:
        """Width, depth and batch."""
        return {"width": self.width, "depth": self.depth, "batch": self.batch}

    @property
    def tensor_plan(self) -> dict[str, Column | Row]:
        """How tensor parallelism cuts the linear layers: outputs, then inputs, pair by pair."""
        if self.family == "perceptron":
            linear = [str(2 * place) for place in range(self.depth + 1)]
            pairs = zip(linear[::2], linear[1::2], strict=False)  # an odd last one stays whole
            return {
                name: cut
                for first, second in pairs
                for name, cut in ((first, Column()), (second, Row()))
            }
        if self.family == "transformer":
            unit = self.width // HEADS
            cuts = dict.fromkeys(("query", "key", "value"), Column(unit)) | {"out": Row(unit)}
            plan = {}
            for block in range(1, self.depth + 1):
                plan |= {f"{block}.attention.{name}": cut for name, cut in cuts.items()}
                plan |= {f"{block}.perceptron.up": Column(), f"{block}.perceptron.down": Row()}
            return plan
        raise ValueError(f"family must be perceptron or transformer to be cut, got {self.family!r}")

    def model(self) -> nn.Sequential:
        """Build the model, with the same parameters on every call."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return FAMILIES[self.family](self.width, self.depth)

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """Return stochastic gradient descent with momentum over the trainable parameters."""
        return optim.SGD(trainable(model), lr=0.01, momentum=0.9)

    def load(self, step: int, rows: Rows = ALL) -> Batch:
        """Load the global batch of one step, or some of its samples, as `data` does."""
        return self.data.load(step, rows)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean loss of `data` over the samples of `batch`."""
        return self.data.loss(model, batch)

    def quality(self, model: nn.Module) -> float:
        """Return the quality that `data` tells."""
        return self.data.quality(model)


def shaped(family: str, width: int, depth: int, batch: int, seed: int = 0) -> Shaped:
    """Return a workload whose model has the width and depth that you ask for.

    Raises
    ------
    ValueError
        If the family has no such name, a size is below 1, or the heads do not divide the width.
    """
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")
    for name, value in (("width", width), ("depth", depth)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}")
    if family == "transformer" and width % HEADS:
        raise ValueError(f"width must be a multiple of {HEADS} heads, got {width!r}")
    data = text("wide", batch, seed) if family == "transformer" else digits("small", batch, seed)
    return Shaped(family, width, depth, data)


def _perceptron(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(PIXELS, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def _convolution(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Unflatten(1, (1, 8, 8))]
    for channels in (1, *[width] * (depth - 1)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * width, CLASSES))


def _transformer(width: int, depth: int) -> nn.Sequential:
    return transformer(depth, width, HEADS, len(CHARACTERS), SEQUENCE)


FAMILIES: dict[str, Callable[[int, int], nn.Sequential]] = {
    "perceptron": _perceptron,
    "convolution": _convolution,
    "transformer": _transformer,
}
