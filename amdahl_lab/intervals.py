"""Intervals of quantiles, shares and slopes, for values that are repeated independently."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit
from scipy.stats import binom

from amdahl_lab import arguments
from amdahl_lab.records import Interval


def quantile_interval(values: ArrayLike, quantile: float, level: float = 0.95) -> Interval:
    """Quantile of what the values were drawn from, with its distribution-free interval.

    The number of n values below the true quantile q is binomial, whatever their distribution. So
    the k-th smallest value is a bound on it with a confidence that depends on k, n and q alone.

    Parameters
    ----------
    values : array_like, shape (n,), n at least 2
        Independent draws.
    quantile : float, inside 0 to 1
        Which quantile q: 0.5 for the median, 0.99 for the 99th percentile.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        In the unit of the values. An end is infinite where n values are too few for a bound: at
        95% and q = 0.99 an upper one takes 368.

    Raises
    ------
    ValueError
        If there are fewer than two values, one is not finite, or a share is not inside 0 to 1.

    References
    ----------
    Conover, "Practical Nonparametric Statistics", 3rd ed. 1999, section 3.2.

    Examples
    --------
    >>> print(quantile_interval(range(1, 101), 0.5))
    50.5 (95% interval 40 to 61)
    """
    ordered = np.sort(arguments.finite("values", values))
    if ordered.ndim != 1 or ordered.size < 2:
        raise ValueError(f"values must hold at least 2 in one row, got shape {ordered.shape}")
    for name, value in (("quantile", quantile), ("level", level)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be inside 0 to 1, got {value!r}")
    n, tail = ordered.size, (1 - level) / 2
    below = int(binom.ppf(tail, n, quantile))  # fewer than this many below: at most `tail` likely
    above = int(binom.isf(tail, n, quantile))  # more than this many below: at most `tail` likely
    low = ordered[below - 1] if below >= 1 else -np.inf
    high = ordered[above] if above < n else np.inf
    return Interval(np.quantile(ordered, quantile), low, high, level)


def share_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Share of trials that succeeded, with the Wilson score interval of the true share.

    Parameters
    ----------
    successes, trials : int
        How many succeeded, of how many.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        Between 0 and 1.

    Raises
    ------
    ValueError
        If there is no trial, or there are more successes than trials.

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
    American Statistical Association 22(158), 1927.

    Examples
    --------
    >>> print(share_interval(348, 360))
    0.967 (95% interval 0.943 to 0.981)
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(
            f"successes must be 0 to trials, trials at least 1, got {successes!r} of {trials!r}"
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    share, z = successes / trials, ndtri((1 + level) / 2)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    # At both ends rounding could leave the share itself just outside.
    return Interval(share, min(centre - half, share), max(centre + half, share), level)


def slope_interval(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Interval:
    """Slope of a straight line through points by least squares, with Student's t interval.

    On logarithms of both it is the exponent of a power law; on logarithms of y alone, the rate of
    exponential growth.

    Parameters
    ----------
    x, y : array_like, shape (n,), n at least 3
        The points. Errors are in y, independent, and of one size.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        In the unit of y over that of x.

    Raises
    ------
    ValueError
        If there are fewer than three points, the shapes differ, or all x are the same.

    Examples
    --------
    >>> print(slope_interval([0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0]))
    1.98 (95% interval 1.8 to 2.16)
    """
    x, y = arguments.finite("x", x), arguments.finite("y", y)
    if x.ndim != 1 or x.shape != y.shape or x.size < 3:
        raise ValueError(f"x and y must be rows of at least 3, got shapes {x.shape} and {y.shape}")
    if np.ptp(x) == 0:
        raise ValueError(f"x must differ, got {x[0]:g} everywhere")
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx @ dy) / (dx @ dx)
    rest = dy - slope * dx
    half = stdtrit(x.size - 2, (1 + level) / 2) * np.sqrt(rest @ rest / (x.size - 2) / (dx @ dx))
    return Interval(slope, slope - half, slope + half, level)
