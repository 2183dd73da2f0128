"""Proof before speed: that training on N workers computes what one worker computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist

from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.parallel.workloads import Workload, digits


def largest_difference(
    workload: Workload | None = None, workers: Sequence[int] = (1, 2, 3), steps: int = 10
) -> dict[int, float]:
    """Train alike on each number of workers and compare all parameters with a serial run.

    Parameters
    ----------
    workload : Workload, optional
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


def quality_after(steps: int, workers: int, workload: Workload) -> float:
    """Train on several workers and return the workload's quality on data not trained on.

    Parameters
    ----------
    steps : int
        Training steps.
    workers : int
        Number of workers N.
    workload : Workload
        What is trained; its `quality_name` and `higher_is_better` say how to read the result.

    Returns
    -------
    float
        Quality of rank 0's model.
    """
    return run_ranks(_quality, workers, workload, steps)[0]


def accuracy_after(steps: int, workers: int, workload: Workload | None = None) -> float:
    """Train on several workers and return the share of held-out digits that is read right.

    Parameters
    ----------
    steps : int
        Training steps.
    workers : int
        Number of workers N.
    workload : Workload, optional
        What is trained; digits with a batch of 100.

    Returns
    -------
    float
        Accuracy on images that were not trained on, 0 to 1.
    """
    return quality_after(steps, workers, workload or digits(batch=100))


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


def _serial_parameters(workload: Workload, steps: int) -> torch.Tensor:
    model = workload.model()
    optimizer = workload.optimizer(model)
    for number in range(steps):
        optimizer.zero_grad()
        workload.loss(model, workload.load(number)).backward()
        optimizer.step()
    return _flat(model)


def _parallel_parameters(workload: Workload, steps: int) -> torch.Tensor:
    return _flat(_trained(workload, steps))


def _quality(workload: Workload, steps: int) -> float:
    return workload.quality(_trained(workload, steps))


def _trained(workload: Workload, steps: int) -> torch.nn.Module:
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
