"""Times to a target, where some runs never got there: Kaplan-Meier curves and restricted means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from amdahl_lab import arguments
from amdahl_lab.records import Interval


@dataclass(frozen=True)
class Survival:
    """The share of runs that have not reached the target yet, over time.

    Parameters
    ----------
    times : ndarray, shape (K,)
        The different times at which a run reached the target, rising.
    share : ndarray, shape (K,)
        Share still on the way just after each of them.
    at_risk, reached : ndarray of int, shape (K,)
        Runs that were still watched just before, and those that reached the target then.
    """

    times: np.ndarray
    share: np.ndarray
    at_risk: np.ndarray
    reached: np.ndarray

    @property
    def median(self) -> float:
        """Time by which half of the runs have arrived; infinite if they never do."""
        there = self.times[self.share <= 0.5 + 1e-12]
        return float(there[0]) if there.size else np.inf


def kaplan_meier(times: ArrayLike, reached: ArrayLike) -> Survival:
    """Estimate the share still on the way from runs of which some were stopped before they arrived.

    At each time t at which d of the n runs still watched arrive, the share is multiplied by
    1 - d / n. A run that was stopped counts among the n up to its end and never among the d.

    Parameters
    ----------
    times : array_like, shape (n,), above 0
        For each run the time at which it arrived or was stopped.
    reached : array_like of bool, shape (n,)
        Whether it arrived. A run stopped at the time of another's arrival counts as still watched.

    Returns
    -------
    Survival
        The curve.

    Raises
    ------
    ValueError
        If there is no run, a time is not above 0, or the shapes differ.

    References
    ----------
    Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations", Journal of the
    American Statistical Association 53(282), 1958.

    Examples
    --------
    >>> kaplan_meier([1, 2, 3, 3], [True, False, True, False]).share.tolist()
    [0.75, 0.375]
    """
    times, reached = _runs(times, reached)
    arrivals = np.unique(times[reached])
    at_risk = np.array([np.sum(times >= t) for t in arrivals], dtype=int)
    done = np.array([np.sum(reached & (times == t)) for t in arrivals], dtype=int)
    return Survival(arrivals, np.cumprod(1 - done / np.maximum(at_risk, 1)), at_risk, done)


def restricted_mean(
    times: ArrayLike, reached: ArrayLike, until: float, level: float = 0.95
) -> Interval:
    """Mean time spent on the way, counted up to a limit: the area under the curve.

    A run that has not arrived by `until` counts with `until`, and nobody has to guess when it
    would have arrived.

    Parameters
    ----------
    times, reached
        As for `kaplan_meier`.
    until : float, above 0
        The limit; at most the longest time that was watched, unless all runs arrived.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        In the unit of the times, with Greenwood's variance and Student's t.

    Raises
    ------
    ValueError
        If the limit lies beyond what was watched, or the runs are not valid.

    References
    ----------
    Kaplan and Meier, 1958, section 6.2.

    Examples
    --------
    >>> restricted_mean([1, 2, 3, 4], [True, True, True, False], 4).estimate
    2.5
    """
    mean, deviation, freedom = _area(times, reached, until)
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    half = deviation * (stdtrit(freedom, (1 + level) / 2) if freedom else np.inf)
    half = 0.0 if deviation == 0 else half
    return Interval(mean, max(mean - half, 0.0), mean + half, level)


def restricted_ratio(
    numerator: tuple[ArrayLike, ArrayLike],
    denominator: tuple[ArrayLike, ArrayLike],
    until: tuple[float, float],
    level: float = 0.95,
) -> Interval:
    """Ratio of two restricted means of separate runs, with an interval on its logarithm.

    Parameters
    ----------
    numerator, denominator : pair of array_like
        Times and whether the target was reached, as for `kaplan_meier`.
    until : pair of float
        Limit of each.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        How many times as long the numerator takes. The two sets of runs count as separate, which
        is on the safe side if both were made with the same seeds.

    Examples
    --------
    >>> a, b = ([2, 4, 6], [True] * 3), ([1, 2, 3], [True] * 3)
    >>> round(restricted_ratio(a, b, (6, 3)).estimate, 3)
    2.0
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    (m1, s1, f1), (m2, s2, f2) = (
        _area(*side, limit) for side, limit in zip((numerator, denominator), until, strict=True)
    )
    v1, v2, ratio = (s1 / m1) ** 2, (s2 / m2) ** 2, m1 / m2
    half = 0.0
    if v1 + v2 > 0:  # Welch: the degrees of freedom that the two spreads are worth together
        freedom = (v1 + v2) ** 2 / (v1**2 / max(f1, 1) + v2**2 / max(f2, 1))
        half = stdtrit(freedom, (1 + level) / 2) * np.sqrt(v1 + v2)
    return Interval(ratio, ratio * np.exp(-half), ratio * np.exp(half), level)


def _area(times: ArrayLike, reached: ArrayLike, until: float) -> tuple[float, float, int]:
    """Return the area under the curve, its standard deviation and degrees of freedom."""
    times, reached = _runs(times, reached)
    until = arguments.positive("until", until)
    if until > times.max() and not reached[times == times.max()].all():
        raise ValueError(
            f"until must be at most {times.max():g}, the longest watched, got {until:g}"
        )
    curve = kaplan_meier(times, reached)
    inside = curve.times < until
    steps, share = curve.times[inside], curve.share[inside]
    n, d = curve.at_risk[inside], curve.reached[inside]
    widths = np.diff(np.concatenate([[0.0], steps, [until]]))
    pieces = widths * np.concatenate([[1.0], share])
    later = np.cumsum(pieces[::-1])[::-1][1:]  # the area to the right of each arrival
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(n > d, later**2 * d / (n * (n - d)), 0.0)
    events = int(d.sum())
    variance = terms.sum() * (events / (events - 1) if events > 1 else 1.0)
    return float(pieces.sum()), float(np.sqrt(variance)), max(events - 1, 0)


def _runs(times: ArrayLike, reached: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    times = np.atleast_1d(np.asarray(arguments.positive("times", times), dtype=float))
    reached = np.atleast_1d(np.asarray(reached, dtype=bool))
    if times.ndim != 1 or not times.size or times.shape != reached.shape:
        raise ValueError(
            "times and reached must be rows of the same length, "
            f"got shapes {times.shape} and {reached.shape}"
        )
    return times, reached
