"""Hill and Marty's laws: one chip's resources spent on many small cores or on one large one.

A chip holds n units of resource ("base core equivalents"). A core built from r of them runs a
serial program perf(r) times as fast as a core of one unit; perf(r) = sqrt(r) unless told.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments

Performance = Callable[[np.ndarray], np.ndarray]


def _design(
    serial_fraction: ArrayLike, chip: ArrayLike, core: ArrayLike, performance: Performance
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    s = arguments.fraction("serial_fraction", serial_fraction)
    n = arguments.at_least_one("chip", chip)
    r = arguments.at_least_one("core", core)
    arguments.together(serial_fraction=s, chip=n, core=r)
    if np.any(r > n):
        raise ValueError(f"core must be at most chip, got core {np.max(r):g} on chip {np.min(n):g}")
    return s, n, r, arguments.positive("performance(core)", performance(r))


def hill_marty_symmetric(
    serial_fraction: ArrayLike,
    chip: ArrayLike,
    core: ArrayLike,
    performance: Performance = np.sqrt,
) -> np.ndarray | float:
    """Speedup of a chip of n / r equal cores of r units each.

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the time, on one core of one unit, that only one core can do.
    chip : array_like, at least 1
        Units n of the whole chip.
    core : array_like, from 1 to chip
        Units r of each core.
    performance : callable, optional
        perf(r), the speed of a core of r units.

    Returns
    -------
    ndarray or float
        S = 1 / (s / perf(r) + (1 - s) r / (perf(r) n)).

    Raises
    ------
    ValueError
        If an argument is out of range, a core exceeds its chip, or the shapes do not match.

    References
    ----------
    Hill and Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, equation (2).

    Examples
    --------
    >>> round(hill_marty_symmetric(0.025, 256, 7.1), 1)  # the paper: 51.2 with 36 cores
    51.2
    """
    s, n, r, perf = _design(serial_fraction, chip, core, performance)
    return arguments.unwrapped(1 / (s / perf + (1 - s) * r / (perf * n)))


def hill_marty_asymmetric(
    serial_fraction: ArrayLike,
    chip: ArrayLike,
    core: ArrayLike,
    performance: Performance = np.sqrt,
) -> np.ndarray | float:
    """Speedup of a chip of one core of r units beside n - r cores of one unit.

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the time, on one core of one unit, that only one core can do.
    chip : array_like, at least 1
        Units n of the whole chip.
    core : array_like, from 1 to chip
        Units r of the large core.
    performance : callable, optional
        perf(r), the speed of a core of r units.

    Returns
    -------
    ndarray or float
        S = 1 / (s / perf(r) + (1 - s) / (perf(r) + n - r)).

    Raises
    ------
    ValueError
        If an argument is out of range, a core exceeds its chip, or the shapes do not match.

    References
    ----------
    Hill and Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, equation (3).

    Examples
    --------
    >>> round(hill_marty_asymmetric(0.025, 256, 64), 1)  # the paper: 125.0
    125.0
    """
    s, n, r, perf = _design(serial_fraction, chip, core, performance)
    return arguments.unwrapped(1 / (s / perf + (1 - s) / (perf + n - r)))


def hill_marty_dynamic(
    serial_fraction: ArrayLike,
    chip: ArrayLike,
    core: ArrayLike,
    performance: Performance = np.sqrt,
) -> np.ndarray | float:
    """Speedup of a chip whose r units join into one core for serial work and split for parallel.

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the time, on one core of one unit, that only one core can do.
    chip : array_like, at least 1
        Units n of the whole chip, all of them used in parallel work.
    core : array_like, from 1 to chip
        Units r that join for serial work.
    performance : callable, optional
        perf(r), the speed of a core of r units.

    Returns
    -------
    ndarray or float
        S = 1 / (s / perf(r) + (1 - s) / n).

    Raises
    ------
    ValueError
        If an argument is out of range, a core exceeds its chip, or the shapes do not match.

    References
    ----------
    Hill and Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, equation (4).

    Examples
    --------
    >>> round(hill_marty_dynamic(0.01, 256, 256), 0)  # the paper: 223
    223.0
    """
    s, n, _, perf = _design(serial_fraction, chip, core, performance)
    return arguments.unwrapped(1 / (s / perf + (1 - s) / n))


def best_symmetric_core(serial_fraction: ArrayLike, chip: ArrayLike) -> np.ndarray | float:
    """Units of each core of the best symmetric chip, for perf(r) = sqrt(r): r = s n / (1 - s).

    Parameters
    ----------
    serial_fraction : array_like, between 0 and 1
        Share s of the time, on one core of one unit, that only one core can do.
    chip : array_like, at least 1
        Units n of the whole chip.

    Returns
    -------
    ndarray or float
        r, not rounded, between 1 and n.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    Hill and Marty print 7.1 units, 36 cores, for s = 0.025 on 256 units; the top is flat:

    >>> round(best_symmetric_core(0.025, 256), 1)
    6.6
    """
    s = arguments.fraction("serial_fraction", serial_fraction)
    n = arguments.at_least_one("chip", chip)
    arguments.together(serial_fraction=s, chip=n)
    with np.errstate(divide="ignore"):
        r = np.where(s < 1, s * n / np.where(s < 1, 1 - s, 1), np.inf)
    return arguments.unwrapped(np.clip(r, 1, n))


def best_asymmetric_core(serial_fraction: float, chip: float) -> float:
    """Units of the large core of the best asymmetric chip, for perf(r) = sqrt(r).

    With x = sqrt(r) the derivative of the time is 0 where
    s (n + x - x^2)^2 = (1 - s) x^2 (2 x - 1). The left side falls and the right one rises from
    x = 1 on, so halving an interval finds the only solution.

    Parameters
    ----------
    serial_fraction : float, between 0 and 1
        Share s of the time, on one core of one unit, that only one core can do.
    chip : float, at least 1
        Units n of the whole chip.

    Returns
    -------
    float
        r, not rounded, between 1 and n.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    Hill and Marty find 125.0 with a core of 64 units; the top is flat:

    >>> round(best_asymmetric_core(0.025, 256))
    66
    """
    s = float(arguments.fraction("serial_fraction", serial_fraction))
    n = float(arguments.at_least_one("chip", chip))

    def falls(x: float) -> bool:  # the time still falls as the large core grows
        return s * (n + x - x * x) ** 2 > (1 - s) * x * x * (2 * x - 1)

    low, high = 1.0, np.sqrt(n)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if falls(middle) else (low, middle)
    return low * low
