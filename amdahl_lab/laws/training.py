"""Training to a target as two of Amdahl's laws: one of the machine, one of the optimiser.

A step on B samples takes a + b B / N on N workers: b for each sample, divided among the workers,
and a for what a step takes whatever its samples are. The optimiser needs D = D_min (1 + B / B_c)
samples. Symbols: h = a / b, the batch per worker at which half of a step is spent on a; B_c, the
critical batch, at which twice the fewest samples are needed.
"""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def machine_efficiency(
    batch_per_worker: ArrayLike, half_efficiency_batch: ArrayLike
) -> np.ndarray | float:
    """Share of a step in which a worker works on samples.

    Parameters
    ----------
    batch_per_worker : array_like, finite and above 0
        Samples B / N of a batch for each worker.
    half_efficiency_batch : array_like, finite and at least 0
        Samples h for each worker with which a step is half efficient.

    Returns
    -------
    ndarray or float
        E = (B / N) / (B / N + h): Amdahl's law for a step whose serial time is that of h samples.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Hockney, "RINF1: R-infinity and N-half", PARKBENCH, 1993: the length of a vector that reaches
    half of the peak.

    Examples
    --------
    >>> machine_efficiency(30, 10)
    0.75
    """
    x = arguments.positive("batch_per_worker", batch_per_worker)
    h = arguments.not_negative("half_efficiency_batch", half_efficiency_batch)
    arguments.together(batch_per_worker=x, half_efficiency_batch=h)
    return arguments.unwrapped(x / (x + h))


def optimiser_efficiency(batch: ArrayLike, critical_batch: ArrayLike) -> np.ndarray | float:
    """Fewest samples to the target over those that a batch needs.

    Parameters
    ----------
    batch : array_like, finite and above 0
        Samples B in a step.
    critical_batch : array_like, above 0
        Batch B_c that needs twice the fewest samples; inf where the batch does not matter.

    Returns
    -------
    ndarray or float
        E = 1 / (1 + B / B_c).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, arXiv:1812.06162.

    Examples
    --------
    >>> optimiser_efficiency(1000, 3000)
    0.75
    """
    B = arguments.positive("batch", batch)
    B_c = _critical(critical_batch)
    arguments.together(batch=B, critical_batch=B_c)
    return arguments.unwrapped(1 / (1 + B / B_c))


def training_time(
    workers: ArrayLike,
    batch: ArrayLike,
    half_efficiency_batch: ArrayLike,
    critical_batch: ArrayLike,
) -> np.ndarray | float:
    """Time to the target, in units of the fewest samples' time on one worker without overhead.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    batch, half_efficiency_batch, critical_batch : array_like
        As for `machine_efficiency` and `optimiser_efficiency`.

    Returns
    -------
    ndarray or float
        T = (1 + B / B_c) (1 / N + h / B), the samples over the throughput.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(training_time(4, 64, 8, 256), 5)
    0.46875
    """
    N, B = arguments.at_least_one("workers", workers), arguments.positive("batch", batch)
    arguments.together(workers=N, batch=B)
    machine = machine_efficiency(B / N, half_efficiency_batch)
    return arguments.unwrapped(1 / (N * machine * optimiser_efficiency(B, critical_batch)))


def best_batch(
    workers: ArrayLike, half_efficiency_batch: ArrayLike, critical_batch: ArrayLike
) -> np.ndarray | float:
    """Batch with the shortest time to the target on N workers.

    Parameters
    ----------
    workers, half_efficiency_batch, critical_batch : array_like
        As for `training_time`.

    Returns
    -------
    ndarray or float
        B = sqrt(N h B_c). There the machine and the optimiser are equally efficient.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> best_batch(4, 25, 10_000)
    1000.0
    """
    N, h, B_c = _three(workers, half_efficiency_batch, critical_batch)
    return arguments.unwrapped(np.sqrt(N * h * B_c))


def best_training_time(
    workers: ArrayLike, half_efficiency_batch: ArrayLike, critical_batch: ArrayLike
) -> np.ndarray | float:
    """Shortest time to the target on N workers, over all batches, in units of `training_time`.

    Parameters
    ----------
    workers, half_efficiency_batch, critical_batch : array_like
        As for `training_time`.

    Returns
    -------
    ndarray or float
        T = (1 / sqrt(N) + sqrt(h / B_c))^2, which no number of workers brings below h / B_c.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(best_training_time(4, 25, 10_000), 4)
    0.3025
    """
    N, h, B_c = _three(workers, half_efficiency_batch, critical_batch)
    return arguments.unwrapped((1 / np.sqrt(N) + np.sqrt(h / B_c)) ** 2)


def _three(
    workers: ArrayLike, half_efficiency_batch: ArrayLike, critical_batch: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    N = arguments.at_least_one("workers", workers)
    h = arguments.not_negative("half_efficiency_batch", half_efficiency_batch)
    B_c = arguments.positive("critical_batch", critical_batch)
    arguments.together(workers=N, half_efficiency_batch=h, critical_batch=B_c)
    return N, h, B_c


def _critical(critical_batch: ArrayLike) -> np.ndarray:
    B_c = np.asarray(critical_batch, dtype=float)
    arguments.positive("critical_batch", np.where(np.isposinf(B_c), 1.0, B_c))
    return B_c
