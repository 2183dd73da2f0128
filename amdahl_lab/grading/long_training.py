"""A training that takes long enough to be killed: what it holds, and one step of it."""

from typing import Any

import numpy as np

from amdahl_lab.grading.rank_probe import drawn, network


class LongTraining:
    """Gradient descent with momentum on shuffled batches with noise, in double precision.

    Parameters
    ----------
    seed : int
        What data, first parameters and all later draws come from.
    layers : list of int
        Widths of the network.
    samples, batch : int
        Number of all samples, and of those in one step.

    Attributes
    ----------
    model : torch.nn.Module
        Its parameters change in every step.
    optimiser : torch.optim.SGD
        Keeps a momentum for each parameter, and the learning rate.
    rng : numpy.random.Generator
        Draws the order of each epoch, and the noise on each batch.
    left : list of int
        Samples of this epoch that are still to come, in order.
    steps : int
        Steps that were done.
    """

    def __init__(self, seed: int, layers: list, samples: int, batch: int) -> None:
        import torch

        weights, biases, inputs, targets = drawn(seed, layers, samples)
        self.model = network(weights, biases)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.rng = np.random.default_rng(seed)
        self.left: list[int] = []
        self.steps = 0
        self._inputs, self._targets, self._batch = inputs, targets, batch

    def step(self) -> None:
        """Train on the next batch; a new epoch begins where too few samples are left."""
        import torch

        if len(self.left) < self._batch:
            self.left = self.rng.permutation(len(self._inputs)).tolist()
        chosen, self.left = self.left[: self._batch], self.left[self._batch :]
        noise = self.rng.normal(scale=0.1, size=(self._batch, self._inputs.shape[1]))
        inputs = torch.tensor(self._inputs[chosen] + noise)
        targets = torch.tensor(self._targets[chosen])
        self.optimiser.zero_grad()
        torch.nn.functional.mse_loss(self.model(inputs), targets).backward()
        self.optimiser.step()
        for group in self.optimiser.param_groups:
            group["lr"] *= 0.98
        self.steps += 1

    def state(self) -> dict[str, Any]:
        """All that a step depends on, as plain numbers, to be looked at and not to be saved."""
        held = [self.optimiser.state[each] for each in self.model.parameters()]
        momenta = [one["momentum_buffer"] for one in held if one.get("momentum_buffer") is not None]
        return {
            "steps": self.steps,
            "parameters": _flat(self.model.parameters()),
            "momentum": _flat(momenta),
            "rates": [group["lr"] for group in self.optimiser.param_groups],
            "rng": str(self.rng.bit_generator.state),
            "left": [int(sample) for sample in self.left],
        }


def _flat(tensors: Any) -> list[float]:
    return [value for each in tensors for value in each.detach().flatten().tolist()]
