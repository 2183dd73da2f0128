"""Runs a training script on ranks and counts what it does; no clock is read."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn

from amdahl_lab.parallel.counting import Counting
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.sample_store import Loader, stored


def network(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> nn.Sequential:
    """Dense layers with tanh between them, in double precision.

    Parameters
    ----------
    weights, biases : sequence of ndarray, shape (out, in) and (out,)
        First values of each layer's parameters.
    """
    modules: list[nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        modules += [linear, nn.Tanh()]
    return nn.Sequential(*modules[:-1])


def count_training(
    train: Callable,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    batch: int,
    rate: float,
    workers: int = 2,
    timeout: float = 40.0,
) -> list[dict[str, Any]]:
    """Run ``train(model, load, batch, steps, rate)`` on ranks and count what each does.

    Parameters
    ----------
    train : callable
        One rank's training: changes `model` in place and returns the loss of each step.
        ``load(first, last)`` fetches samples `first` to `last` - 1.
    weights, biases : sequence of ndarray
        First parameters, the same on every rank.
    inputs, targets : ndarray, shape (steps * batch, ...)
        All samples; step number i takes those from i * batch on.
    batch : int
        Samples of a step, on all ranks together.
    rate : float
        Learning rate.
    workers : int
        Number of ranks.
    timeout : float
        Seconds that the ranks may take.

    Returns
    -------
    list of dict
        For each rank ``parameters`` (one flat list), ``losses`` (what `train` returned, as plain
        numbers where it can be) and ``counts``: what it did up to its last forward pass, by the
        names of `counting.Counts`, and all ``samples`` that it loaded, in how many ``loads``.
    """
    with stored(inputs, targets) as loader:
        first = (tuple(weights), tuple(biases))
        steps = len(inputs) // batch
        return run_ranks(
            _counted, workers, train, first, loader, batch, steps, rate, timeout=timeout
        )


def _counted(
    train: Callable, first: tuple, loader: Loader, batch: int, steps: int, rate: float
) -> dict[str, Any]:
    model = network(*first)
    size = sum(parameter.nbytes for parameter in model.parameters())
    counting = Counting(buffer_bytes=size)
    # What is done after the last forward pass, such as taking all losses out at once, holds no
    # step up; collectives count to the end.
    at_forward = asdict(counting.counts)

    def note(*_: object) -> None:
        at_forward.update(asdict(counting.counts))

    model[0].register_forward_pre_hook(note)
    try:
        with counting:
            losses = train(model, loader, batch, steps, rate)
    finally:
        loader.close()
    counts = asdict(counting.counts)
    counts |= {name: at_forward[name] for name in ("numbers", "arrays", "buffers")}
    parameters = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    return {
        "parameters": parameters.tolist(),
        "losses": _plain(losses),
        "counts": counts | {"samples": loader.loaded, "loads": loader.calls},
    }


def _plain(losses: Any) -> Any:
    if isinstance(losses, torch.Tensor | np.ndarray):
        return losses.tolist()
    if isinstance(losses, list | tuple):
        return [float(loss) for loss in losses]
    return losses if losses is None else type(losses).__name__
