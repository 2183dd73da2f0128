"""A multilayer perceptron with a chosen number of gradient bytes, to time transports on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from amdahl_lab.parallel.blocks import seconds_per_turn
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.timing import measure

# Width and number of the layers, by the size of all gradients in float32.
SIZES = {"0.3 MB": (192, 2), "1.6 MB": (448, 2), "8.4 MB": (1024, 2), "16.8 MB": (1024, 4)}
WARM_STEPS = 4


@dataclass(frozen=True)
class Perceptron:
    """Dense layers of one width with ReLU between them, fitted to random targets.

    Parameters
    ----------
    size : str
        A name in `SIZES`.
    batch : int, at least 1
        Samples in one global batch.
    seed : int
        Start of parameters and data.
    """

    size: str
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"size must be one of {', '.join(SIZES)}, got {self.size!r}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, got {self.batch!r}")

    def model(self) -> nn.Module:
        """Build the network, with the same parameters on every call."""
        width, layers = SIZES[self.size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            stack = [nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(layers)]
            return nn.Sequential(*stack, nn.Identity())

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return stochastic gradient descent with momentum."""
        return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def load(self, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of one step."""
        rng = np.random.default_rng([self.seed, step])
        width, _ = SIZES[self.size]
        inputs, targets = rng.normal(size=(2, self.batch, width)).astype(np.float32)
        return torch.from_numpy(inputs), torch.from_numpy(targets)

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean squared error."""
        inputs, targets = batch
        return nn.functional.mse_loss(model(inputs), targets)


def side_by_side(
    workload: Perceptron, cuts: Mapping[str, Cut], turns: int, rounds: int, seed: int
) -> dict[str, float]:
    """Time steps of several strategies within the same ranks, in rounds of random order.

    Parameters
    ----------
    workload : Perceptron
        What is trained; loading it is not timed.
    cuts : mapping of str to callable
        Builds each strategy from model, optimizer and loss.
    turns : int, at least 1
        Steps in one block.
    rounds : int, at least 2
        Blocks of each strategy.
    seed : int
        Seed of the orders, the same on every rank.

    Returns
    -------
    dict of str to float
        Seconds per step of each, the slowest rank's in each block, geometric mean over the rounds;
        the same on every rank.
    """
    batch = workload.load(0)

    def block_of(cut: Cut):
        model = workload.model()
        training = cut(model, workload.optimizer(model), workload.loss)
        for _ in range(WARM_STEPS):
            training.step(batch)

        def block() -> dict[str, float]:
            training.step(batch)  # what the others have put out of the cache comes back
            seconds = torch.tensor(seconds_per_turn(lambda _: training.step(batch), turns))
            dist.all_reduce(seconds, dist.ReduceOp.MAX)
            return {"step": seconds.item()}

        return block

    blocks = {name: block_of(cut) for name, cut in cuts.items()}
    taken = measure(blocks, rounds, rng=np.random.default_rng(seed))
    return {
        name: float(np.exp(np.log(phases["step"].seconds).mean())) for name, phases in taken.items()
    }
