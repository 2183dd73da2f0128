"""Runs a student's function on real ranks with hidden data; returns what came out, as lists."""

from collections.abc import Callable
from typing import Any

import numpy as np


def run(function: Callable, *, workers: int, **scenario: Any) -> list:
    """Train on `workers` ranks, calling `function` after each backward pass.

    Parameters
    ----------
    function : callable
        The student's ``average_gradients(model, samples)``.
    workers : int
        Number of ranks.
    **scenario
        As for `train`.

    Returns
    -------
    list
        For each rank its final parameters, as one flat list.
    """
    from amdahl_lab.parallel import run_ranks

    return run_ranks(train, workers, function, scenario, timeout=40.0)


def train(function: Callable, scenario: dict[str, Any]) -> list[float]:
    """One rank: gradient descent on its own shard, in double precision.

    Parameters
    ----------
    function : callable
        Makes the gradients of all ranks one.
    scenario : dict
        ``seed`` of data and first weights, ``layers`` (widths of the network), ``shards`` (samples
        of each rank), ``steps`` and learning ``rate``.

    Returns
    -------
    list of float
        All parameters after the last step.
    """
    import torch
    import torch.distributed as dist

    rank, shards, rate = dist.get_rank(), scenario["shards"], scenario["rate"]
    weights, biases, inputs, targets = drawn(scenario["seed"], scenario["layers"], sum(shards))
    mine = slice(sum(shards[:rank]), sum(shards[: rank + 1]))
    x, y = torch.tensor(inputs[mine]), torch.tensor(targets[mine])
    model = network(weights, biases)
    for _ in range(scenario["steps"]):
        model.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        function(model, len(x))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= rate * parameter.grad
    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]).tolist()


def network(weights: list, biases: list) -> Any:
    """Linear layers with these weights and biases, in double precision, tanh between them."""
    import torch

    modules: list[torch.nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        modules += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])


def drawn(seed: int, layers: list, samples: int) -> tuple[list, list, np.ndarray, np.ndarray]:
    """First weights, biases, inputs and targets of a scenario, drawn from its seed."""
    rng = np.random.default_rng(seed)
    shapes = list(zip(layers[1:], layers[:-1], strict=True))
    weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in shapes]
    biases = [rng.normal(size=shape[0]) * 0.1 for shape in shapes]
    inputs = rng.normal(size=(samples, layers[0]))
    # Samples differ along the line, so that shards of different size pull in different directions.
    targets = rng.normal(size=(samples, layers[-1])) + np.linspace(-2, 2, samples)[:, None]
    return weights, biases, inputs, targets
