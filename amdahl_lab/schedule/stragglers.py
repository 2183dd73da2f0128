"""Workers that wait for the slowest: the expected maximum, and steps drawn at random."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr

from amdahl_lab import arguments

BLOCK = 1 << 16  # times drawn at once, so that they stay in the processor's cache


def expected_maximum(workers: ArrayLike) -> np.ndarray | float:
    """Expected largest of N independent standard normal values.

    Parameters
    ----------
    workers : array_like, at least 1
        Number of values N.

    Returns
    -------
    ndarray or float
        Standard deviations above the mean: 0 for one worker, 0.564 for two, 3.9 for ten thousand.
        Between powers of the fourth root of two it is interpolated, to four digits.

    Raises
    ------
    ValueError
        If a number is below 1.

    References
    ----------
    For two values 1 / sqrt(pi) and for three 3 / (2 sqrt(pi)): David and Nagaraja, "Order
    Statistics", 3rd edition, 2003, section 3.2.

    Examples
    --------
    >>> expected_maximum([1, 2, 3]).round(4).tolist()
    [0.0, 0.5642, 0.8463]
    """
    N = arguments.at_least_one("workers", workers)
    logs, maxima = _maxima()
    small = np.clip(np.rint(N).astype(int), 1, 16)
    whole = (N <= 16) & (small == N)
    exact = np.array([0.0, *(_maximum(n) for n in range(1, 17))])
    return arguments.unwrapped(np.where(whole, exact[small], np.interp(np.log2(N), logs, maxima)))


def larger_of_two(more: ArrayLike, apart: ArrayLike) -> np.ndarray | float:
    """Expected larger of two normal times, beyond the mean of the one that has less to do.

    Parameters
    ----------
    more : array_like, at least 0
        Seconds by which the mean of the one exceeds that of the other: a straggler's extra work.
    apart : array_like, at least 0
        Standard deviation of the difference of the two times. What they share is not in it.

    Returns
    -------
    ndarray or float
        Seconds: ``more`` where nothing varies; ``apart`` / sqrt(2 pi) where both have the same to
        do; in between less than the sum of these two.

    Raises
    ------
    ValueError
        If a number is below 0.

    References
    ----------
    Clark, "The Greatest of a Finite Set of Random Variables", Operations Research 9(2), 1961.

    Examples
    --------
    >>> larger_of_two([0.0, 1.0, 10.0], 1.0).round(3).tolist()
    [0.399, 1.083, 10.0]
    """
    d = arguments.not_negative("more", more)
    tau = arguments.not_negative("apart", apart)
    scale = np.where(tau > 0, tau, 1.0)
    density = np.exp(-((d / scale) ** 2) / 2) / np.sqrt(2 * np.pi)
    return arguments.unwrapped(np.where(tau > 0, d * ndtr(d / scale) + tau * density, d))


@dataclass(frozen=True)
class SynchronousSteps:
    """Steps in which all workers wait for the slowest.

    Parameters
    ----------
    seconds : array, shape (steps,)
        Time of each step: the slowest worker's.
    alone : float
        Mean time of one worker's own work.
    """

    seconds: np.ndarray
    alone: float

    @property
    def slowdown(self) -> float:
        """Mean step over a worker's own mean time: at least 1."""
        return float(self.seconds.mean() / self.alone)


def synchronous_steps(
    workers: int,
    steps: int,
    *,
    jitter: float,
    rng: np.random.Generator,
    seconds: float = 1.0,
    slow_factor: ArrayLike = 1.0,
) -> SynchronousSteps:
    """Draw steps whose workers' times vary independently, and take the slowest of each.

    Parameters
    ----------
    workers, steps : int, at least 1
        Workers N and steps.
    jitter : float, at least 0
        Standard deviation of the logarithm of a worker's time (log-normal times).
    rng : numpy.random.Generator
        Source of randomness.
    seconds : float, above 0
        Mean time of a worker with `slow_factor` 1.
    slow_factor : array_like, above 0, scalar or shape (workers,)
        How much longer each worker takes in every step, such as 2 for one that is always slow.

    Returns
    -------
    SynchronousSteps
        The steps' times.

    Raises
    ------
    ValueError
        If a number is out of range.

    Notes
    -----
    The slowest worker is found on the logarithms, so only one exponential is taken for each step.
    """
    N = int(arguments.at_least_one("workers", workers))
    count = int(arguments.at_least_one("steps", steps))
    sigma = float(arguments.not_negative("jitter", jitter))
    arguments.positive("seconds", seconds)
    factors = arguments.positive("slow_factor", slow_factor)
    if factors.shape not in ((), (N,)):
        raise ValueError(f"slow_factor must have shape ({N},), got {factors.shape}")
    offsets = np.broadcast_to(np.log(factors), (N,)).astype(np.float32)
    uniform = bool(np.all(offsets == offsets[0]))
    slowest = np.empty(count)
    rows = max(1, BLOCK // N)
    for start in range(0, count, rows):
        stop = min(start + rows, count)
        drawn = rng.standard_normal((stop - start, N), dtype=np.float32)
        if uniform:
            slowest[start:stop] = sigma * drawn.max(axis=1) + float(offsets[0])
        else:
            drawn *= np.float32(sigma)
            drawn += offsets
            slowest[start:stop] = drawn.max(axis=1)
    scale = seconds * np.exp(-sigma * sigma / 2)  # the mean of a log-normal is exp(s^2 / 2)
    return SynchronousSteps(scale * np.exp(slowest), float(seconds * factors.mean()))


@cache
def _maximum(workers: float) -> float:
    # The mean of the maximum is the integral of 1 - F^N above 0 minus that of F^N below.
    x = np.linspace(0, 12, 6001)
    above = -np.expm1(workers * log_ndtr(x))
    below = np.exp(workers * log_ndtr(-x))
    return float(np.trapezoid(above - below, x))


@cache
def _maxima() -> tuple[np.ndarray, np.ndarray]:
    logs = np.linspace(0, 30, 121)
    return logs, np.array([_maximum(2.0**log) for log in logs])
