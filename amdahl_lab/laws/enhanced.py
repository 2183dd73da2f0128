"""Amdahl's law for one enhanced part: a share of the time made k times as fast."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def enhanced_speedup(fraction: ArrayLike, factor: ArrayLike) -> np.ndarray | float:
    """Speedup of the whole when one part of it runs `factor` times as fast.

    Parameters
    ----------
    fraction : array_like, between 0 and 1
        Share f of the original time spent in the part.
    factor : array_like, finite and above 0
        How many times as fast the part becomes, k. Below 1 it becomes slower.

    Returns
    -------
    ndarray or float
        S = 1 / ((1 - f) + f / k).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Hill and Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, equation (1).

    Examples
    --------
    >>> round(enhanced_speedup(0.8, 10), 3)
    3.571
    """
    f = arguments.fraction("fraction", fraction)
    k = arguments.positive("factor", factor)
    arguments.together(fraction=f, factor=k)
    return arguments.unwrapped(1 / ((1 - f) + f / k))


def enhanced_limit(fraction: ArrayLike) -> np.ndarray | float:
    """Speedup of the whole when the part takes no time at all: 1 / (1 - f).

    Parameters
    ----------
    fraction : array_like, between 0 and 1
        Share f of the original time spent in the part.

    Returns
    -------
    ndarray or float
        Limit of the speedup for an ever larger factor; inf for f = 1.

    Raises
    ------
    ValueError
        If a fraction is outside 0 to 1.

    Examples
    --------
    >>> enhanced_limit(0.5)
    2.0
    """
    f = arguments.fraction("fraction", fraction)
    with np.errstate(divide="ignore"):
        return arguments.unwrapped(np.divide(1.0, 1 - f))


def factor_for_speedup(speedup: ArrayLike, fraction: ArrayLike) -> np.ndarray | float:
    """Factor by which the part must become faster to give the whole a speedup.

    Parameters
    ----------
    speedup : array_like, finite and above 0
        Target speedup S of the whole.
    fraction : array_like, between 0 and 1
        Share f of the original time spent in the part.

    Returns
    -------
    ndarray or float
        k = f / (1/S - (1 - f)); inf where no factor reaches S; 1 for S = 1.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> factor_for_speedup([1.6, 2.0], 0.5).round(6).tolist()
    [4.0, inf]
    """
    S = arguments.positive("speedup", speedup)
    f = arguments.fraction("fraction", fraction)
    arguments.together(speedup=S, fraction=f)
    left = 1 / S - (1 - f)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(left > 0, f / left, np.inf)
    return arguments.unwrapped(np.where(S == 1, 1.0, factor))


def fraction_for_speedup(speedup: ArrayLike, factor: ArrayLike) -> np.ndarray | float:
    """Share of the time that must be enhanced by `factor` to give the whole a speedup.

    Parameters
    ----------
    speedup : array_like, finite and above 0
        Measured or wanted speedup S of the whole.
    factor : array_like, finite and above 0, not 1
        How many times as fast the part becomes, k.

    Returns
    -------
    ndarray or float
        f = (1 - 1/S) / (1 - 1/k). Outside 0 to 1 where no share explains S, and not clipped.

    Raises
    ------
    ValueError
        If an argument is out of range, a factor is 1, or the shapes do not match.

    Examples
    --------
    >>> round(fraction_for_speedup(1.6, 4), 6)
    0.5
    """
    S = arguments.positive("speedup", speedup)
    k = arguments.positive("factor", factor)
    if np.any(k == 1):
        raise ValueError("factor must differ from 1: a part no faster tells nothing, got 1")
    arguments.together(speedup=S, factor=k)
    return arguments.unwrapped((1 - 1 / S) / (1 - 1 / k))
