"""Proof before speed: that training on N workers computes what one worker computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist

from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.parallel.workloads import Digits, digits


def largest_difference(
    workload: Digits | None = None, workers: Sequence[int] = (1, 2, 3), steps: int = 10
) -> dict[int, float]:
    """Train alike on each number of workers and compare all parameters with a serial run.

    Parameters
    ----------
    workload : Digits, optional
        What is trained; digits with a batch of 100, which three workers do not divide evenly.
    workers : sequence of int
        Numbers of workers N.
    steps : int
        Training steps.

    Returns
    -------
    dict of int to float
        For each N the largest absolute difference of any parameter on any rank from the same
        steps taken in this process without any strategy.
    """
    workload = workload or digits(batch=100)
    serial = _serial_parameters(workload, steps)
    return {
        N: max(
            float((mine - serial).abs().max())
            for mine in run_ranks(_parallel_parameters, N, workload, steps)
        )
        for N in workers
    }


def accuracy_after(steps: int, workers: int, workload: Digits | None = None) -> float:
    """Train on several workers and return the share of held-out digits that is read right.

    Parameters
    ----------
    steps : int
        Training steps.
    workers : int
        Number of workers N.
    workload : Digits, optional
        What is trained; digits with a batch of 100.

    Returns
    -------
    float
        Accuracy on images that were not trained on, 0 to 1.
    """
    return run_ranks(_accuracy, workers, workload or digits(batch=100), steps)[0]


def differences_by_strategy(
    strategies: Mapping[str, Cut],
    workload: Any = None,
    workers: int = 2,
    steps: int = 5,
) -> dict[str, float]:
    """Train alike by each of several strategies and compare all parameters with a serial run.

    Parameters
    ----------
    strategies : mapping of str to callable
        Each takes model, optimizer and loss: a class of `strategies`, or one of them with its
        other arguments filled in, as in `strategies.catalogue`.
    workload : Digits or another workload, optional
        What is trained; digits with a batch of 100.
    workers : int
        Number of workers N.
    steps : int
        Training steps.

    Returns
    -------
    dict of str to float
        For each strategy the largest absolute difference of any parameter on any rank from the
        same steps taken in this process without any strategy.
    """
    workload = workload or digits(batch=100)
    serial = _serial_parameters(workload, steps)
    ranks = run_ranks(_parameters_by_strategy, workers, dict(strategies), workload, steps)
    return {
        name: max(float((rank[name] - serial).abs().max()) for rank in ranks) for name in strategies
    }


def sum_of_ranks(workers: int) -> list[float]:
    """Let every rank add up the numbers of all ranks: the smallest proof that they are joined.

    Parameters
    ----------
    workers : int
        Number of workers N.

    Returns
    -------
    list of float, length N
        0 + 1 + ... + (N - 1), as each rank got it.
    """
    return run_ranks(_sum_of_numbers, workers)


def _sum_of_numbers() -> float:
    number = torch.tensor(float(dist.get_rank()))
    dist.all_reduce(number)
    return number.item()


def _serial_parameters(workload: Digits, steps: int) -> torch.Tensor:
    model = workload.model()
    optimizer = workload.optimizer(model)
    for number in range(steps):
        optimizer.zero_grad()
        workload.loss(model, workload.load(number)).backward()
        optimizer.step()
    return _flat(model)


def _parallel_parameters(workload: Digits, steps: int) -> torch.Tensor:
    return _flat(_trained(workload, steps))


def _accuracy(workload: Digits, steps: int) -> float:
    return workload.accuracy(_trained(workload, steps))


def _trained(workload: Digits, steps: int) -> torch.nn.Module:
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    for number in range(steps):
        training.step(workload.load(number))
    return model


def _flat(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def _parameters_by_strategy(
    strategies: Mapping[str, Cut], workload: Any, steps: int
) -> dict[str, torch.Tensor]:
    parameters = {}
    for name, cut in strategies.items():
        model = workload.model()
        training = cut(model, workload.optimizer(model), workload.loss)
        for number in range(steps):
            training.step(workload.load(number))
        whole = training.whole_parameters().values()
        parameters[name] = torch.cat([each.flatten() for each in whole])
    return parameters
