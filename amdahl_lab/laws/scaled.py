"""Laws for problems that grow with the workers: Gustafson's and Sun and Ni's."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def gustafson_speedup(workers: ArrayLike, scaled_serial_fraction: ArrayLike) -> np.ndarray | float:
    """Speedup of a problem whose parallel part grows with N, so that the time stays put.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    scaled_serial_fraction : array_like, between 0 and 1
        Share s' of the time on the N workers spent in serial work. It is not Amdahl's s, a share
        of the time on one worker; `scaled_serial_fraction` converts.

    Returns
    -------
    ndarray or float
        S = N + (1 - N) s'.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Gustafson, "Reevaluating Amdahl's Law", CACM 31(5), 1988, the scaled speedup.

    Examples
    --------
    >>> round(gustafson_speedup(1024, 0.004), 1)
    1019.9
    """
    N = arguments.at_least_one("workers", workers)
    s = arguments.fraction("scaled_serial_fraction", scaled_serial_fraction)
    arguments.together(workers=N, scaled_serial_fraction=s)
    return arguments.unwrapped(N + (1 - N) * s)


def gustafson_workers(speedup: ArrayLike, scaled_serial_fraction: ArrayLike) -> np.ndarray | float:
    """Workers that a scaled speedup takes at a given share s' of serial time.

    Parameters
    ----------
    speedup : array_like, finite and at least 1
        Target scaled speedup S.
    scaled_serial_fraction : array_like, between 0 and 1
        Share s' of the time on the N workers spent in serial work.

    Returns
    -------
    ndarray or float
        N = (S - s') / (1 - s'), not rounded; inf for s' = 1 and S > 1.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> gustafson_workers(7.3, 0.1)
    8.0
    """
    S = arguments.at_least_one("speedup", speedup)
    s = arguments.fraction("scaled_serial_fraction", scaled_serial_fraction)
    arguments.together(speedup=S, scaled_serial_fraction=s)
    with np.errstate(divide="ignore", invalid="ignore"):
        return arguments.unwrapped(np.where(S == 1, 1.0, (S - s) / (1 - s)))


def scaled_serial_fraction_from_speedup(
    speedup: ArrayLike, workers: ArrayLike
) -> np.ndarray | float:
    """Share s' of serial time that explains a scaled speedup: Gustafson's law read backwards.

    Parameters
    ----------
    speedup : array_like, finite and above 0
        Measured scaled speedup S.
    workers : array_like, finite and above 1
        Number of workers N.

    Returns
    -------
    ndarray or float
        s' = (N - S) / (N - 1), not clipped.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(scaled_serial_fraction_from_speedup(7.3, 8), 6)
    0.1
    """
    S = arguments.positive("speedup", speedup)
    N = arguments.above_one("workers", workers)
    arguments.together(speedup=S, workers=N)
    return arguments.unwrapped((N - S) / (N - 1))


def scaled_serial_fraction(serial_fraction: ArrayLike, workers: ArrayLike) -> np.ndarray | float:
    """Turn Amdahl's s into Gustafson's s' for one and the same run on N workers.

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the time that the work takes on one worker.
    workers : array_like, finite and at least 1
        Number of workers N of the run.

    Returns
    -------
    ndarray or float
        s' = s N / (s N + 1 - s), the share of the time on N workers.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Both laws describe one run when s and s' are shares of the same serial time, s T(1) = s' T(N);
    dividing by T(N) = T(1) (s + (1 - s) / N) gives the formula.

    Examples
    --------
    >>> round(scaled_serial_fraction(0.1, 9), 6)
    0.5
    """
    s = arguments.fraction("serial_fraction", serial_fraction)
    N = arguments.at_least_one("workers", workers)
    arguments.together(serial_fraction=s, workers=N)
    return arguments.unwrapped(s / (s + (1 - s) / N))


def fixed_serial_fraction(
    scaled_serial_fraction: ArrayLike, workers: ArrayLike
) -> np.ndarray | float:
    """Turn Gustafson's s' on N workers into Amdahl's s of the same work on one worker.

    Parameters
    ----------
    scaled_serial_fraction : array_like, between 0 and 1
        Share s' of the time on N workers spent in serial work.
    workers : array_like, finite and at least 1
        Number of workers N of the run.

    Returns
    -------
    ndarray or float
        s = s' / (s' + (1 - s') N), the inverse of `scaled_serial_fraction` at the same N.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(fixed_serial_fraction(0.5, 9), 6)
    0.1
    """
    s = arguments.fraction("scaled_serial_fraction", scaled_serial_fraction)
    N = arguments.at_least_one("workers", workers)
    arguments.together(scaled_serial_fraction=s, workers=N)
    return arguments.unwrapped(s / (s + (1 - s) * N))


def sun_ni_speedup(
    workers: ArrayLike, serial_fraction: ArrayLike, growth: ArrayLike
) -> np.ndarray | float:
    """Memory-bounded speedup: the parallel work grows by G(N) as N workers bring memory.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time of the unscaled problem.
    growth : array_like, finite and above 0
        G(N): how many times the parallel work has grown on N workers. G = 1 is Amdahl's law,
        G = N is Gustafson's.

    Returns
    -------
    ndarray or float
        S = (s + (1 - s) G) / (s + (1 - s) G / N).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Sun and Ni, "Another View on Parallel Speedup", Supercomputing '90, 1990, the memory-bounded
    speedup.

    Examples
    --------
    >>> sun_ni_speedup(8, 0.1, [1, 8, 8**1.5]).round(3).tolist()
    [4.706, 7.3, 7.735]
    """
    N = arguments.at_least_one("workers", workers)
    s = arguments.fraction("serial_fraction", serial_fraction)
    G = arguments.positive("growth", growth)
    arguments.together(workers=N, serial_fraction=s, growth=G)
    p = 1 - s
    return arguments.unwrapped((s + p * G) / (s + p * G / N))
