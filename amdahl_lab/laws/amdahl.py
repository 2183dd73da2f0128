"""Amdahl's law for N equal workers, its limit, its inverses and its knee."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def amdahl_speedup(workers: ArrayLike, serial_fraction: ArrayLike) -> np.ndarray | float:
    """Speedup of a fixed problem whose serial part does not shrink.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.

    Returns
    -------
    ndarray or float
        S(N) = T(1) / T(N) = 1 / (s + (1 - s) / N), broadcast over both arguments.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Amdahl (1967) argues this bound in prose; the paper holds no equation. The form is equation
    (1) of Hill and Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, with
    f = 1 - s and every processor given the same part.

    Examples
    --------
    >>> amdahl_speedup([1, 2, 4], 0.1).round(3).tolist()
    [1.0, 1.818, 3.077]
    """
    N = arguments.at_least_one("workers", workers)
    s = arguments.fraction("serial_fraction", serial_fraction)
    arguments.together(workers=N, serial_fraction=s)
    return arguments.unwrapped(1 / (s + (1 - s) / N))


def amdahl_limit(serial_fraction: ArrayLike) -> np.ndarray | float:
    """Speedup that no number of workers exceeds: 1 / s, and infinite without a serial part.

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.

    Returns
    -------
    ndarray or float
        Limit of S(N) for N to infinity.

    Raises
    ------
    ValueError
        If a fraction is outside 0 to 1.

    Examples
    --------
    >>> amdahl_limit([0.5, 0.1, 0.0]).tolist()
    [2.0, 10.0, inf]
    """
    s = arguments.fraction("serial_fraction", serial_fraction)
    with np.errstate(divide="ignore"):
        return arguments.unwrapped(np.divide(1.0, s))


def efficiency(speedup: ArrayLike, workers: ArrayLike) -> np.ndarray | float:
    """Speedup per worker, S / N: the share of the paid workers that the result got.

    Parameters
    ----------
    speedup : array_like, finite and above 0
        Speedup S over one worker.
    workers : array_like, finite and at least 1
        Number of workers N.

    Returns
    -------
    ndarray or float
        S / N; 1 for perfect scaling. Its reciprocal is the cost of a result in units of the
        one-worker cost, when a worker costs the same per second whatever N.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> efficiency(3.0, 4)
    0.75
    """
    S = arguments.positive("speedup", speedup)
    N = arguments.at_least_one("workers", workers)
    arguments.together(speedup=S, workers=N)
    return arguments.unwrapped(np.divide(S, N))


def karp_flatt(speedup: ArrayLike, workers: ArrayLike) -> np.ndarray | float:
    """Serial fraction that Amdahl's law needs to explain a speedup: the law read backwards.

    Parameters
    ----------
    speedup : array_like, finite and above 0
        Measured speedup S.
    workers : array_like, finite and above 1
        Number of workers N at which it was measured.

    Returns
    -------
    ndarray or float
        e = (1/S - 1/N) / (1 - 1/N). Below 0 for a speedup above N, above 1 for a slowdown:
        both say that the law does not hold here, so neither is clipped.

    Raises
    ------
    ValueError
        If an argument is out of range (one worker identifies nothing) or the shapes do not match.

    References
    ----------
    Karp and Flatt, "Measuring Parallel Processor Performance", CACM 33(5), 1990, equation (2).

    Examples
    --------
    >>> round(karp_flatt(1.8, 2), 4)
    0.1111
    """
    S = arguments.positive("speedup", speedup)
    N = arguments.above_one("workers", workers)
    arguments.together(speedup=S, workers=N)
    return arguments.unwrapped((1 / S - 1 / N) / (1 - 1 / N))


def workers_for_speedup(speedup: ArrayLike, serial_fraction: ArrayLike) -> np.ndarray | float:
    """Workers that a speedup takes under Amdahl's law; infinite where the law never reaches it.

    Parameters
    ----------
    speedup : array_like, finite and at least 1
        Target speedup S.
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.

    Returns
    -------
    ndarray or float
        N = S (1 - s) / (1 - S s), not rounded; inf where S is at or above the limit 1 / s.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> workers_for_speedup([5, 10], 0.1).round(6).tolist()
    [9.0, inf]
    """
    S = arguments.at_least_one("speedup", speedup)
    s = arguments.fraction("serial_fraction", serial_fraction)
    arguments.together(speedup=S, serial_fraction=s)
    S, s = np.broadcast_arrays(S, s)
    reachable = S * s < 1
    denominator = np.where(reachable, 1 - S * s, 1.0)
    # One worker gives S = 1 whatever s, also at s = 1, where the quotient would be 0 / 0.
    return arguments.unwrapped(
        np.where(S == 1, 1.0, np.where(reachable, S * (1 - s) / denominator, np.inf))
    )


def workers_for_efficiency(efficiency: ArrayLike, serial_fraction: ArrayLike) -> np.ndarray | float:
    """Workers at which Amdahl's efficiency has fallen to a given value.

    Parameters
    ----------
    efficiency : array_like, above 0 and at most 1
        Efficiency E = S / N to be kept.
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.

    Returns
    -------
    ndarray or float
        N = 1 + (1/E - 1) / s, not rounded; inf for s = 0 and E < 1.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> workers_for_efficiency(0.5, [0.1, 0.05]).round(6).tolist()
    [11.0, 21.0]
    """
    E = arguments.fraction("efficiency", arguments.positive("efficiency", efficiency))
    s = arguments.fraction("serial_fraction", serial_fraction)
    arguments.together(efficiency=E, serial_fraction=s)
    loss = 1 / E - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        extra = np.where(loss == 0, 0.0, loss / s)
    return arguments.unwrapped(1 + extra)


def knee(serial_fraction: ArrayLike) -> np.ndarray | float:
    """Workers at which speedup times efficiency, S^2 / N, is largest under Amdahl's law.

    Before the knee a per cent more workers buys more than half a per cent of speedup, after it
    less. At the knee the speedup is half the limit, 1 / (2 s).

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.

    Returns
    -------
    ndarray or float
        N = (1 - s) / s, not rounded, at least 1; inf for s = 0.

    Raises
    ------
    ValueError
        If a fraction is outside 0 to 1.

    References
    ----------
    Eager, Zahorjan and Lazowska, "Speedup Versus Efficiency in Parallel Systems", IEEE
    Transactions on Computers 38(3), 1989, define the knee; the closed form follows by setting
    the derivative of N / (s N + 1 - s)^2 to zero.

    Examples
    --------
    >>> knee([0.1, 0.01]).round(6).tolist()
    [9.0, 99.0]
    """
    s = arguments.fraction("serial_fraction", serial_fraction)
    with np.errstate(divide="ignore"):
        return arguments.unwrapped(np.maximum((1 - s) / s, 1.0))
