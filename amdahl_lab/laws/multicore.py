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
