"""Failures, checkpoints and restarts: how much of the time goes into work that is kept.

Symbols of the sources: M mean time between failures, delta time to write a checkpoint, R time to
restart, tau work between two checkpoints. All in one unit of time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import lambertw

from amdahl_lab import arguments


def goodput(
    interval: ArrayLike, checkpoint: ArrayLike, restart: ArrayLike, between_failures: ArrayLike
) -> np.ndarray | float:
    """Share of the time that goes into kept work, exactly, for failures of a Poisson process.

    A failure can hit work, a checkpoint or a restart; what was done since the last checkpoint is
    lost.

    Parameters
    ----------
    interval : array_like, above 0
        Work tau between two checkpoints.
    checkpoint, restart : array_like, at least 0
        Time delta of a checkpoint and R of a restart.
    between_failures : array_like, above 0
        Mean time M between failures of the whole job.

    Returns
    -------
    ndarray or float
        tau exp(-R / M) / (M (exp((tau + delta) / M) - 1)).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future
    Generation Computer Systems 22(3), 2006, doi:10.1016/j.future.2004.11.016: the complete cost
    function, whose run time this is the work over.

    Examples
    --------
    >>> round(goodput(117, 5, 10, 24 * 60), 4)
    0.9126
    """
    tau, delta, R, M = _checked(interval, checkpoint, restart, between_failures)
    return arguments.unwrapped(tau * np.exp(-R / M) / (M * np.expm1((tau + delta) / M)))


def first_order_goodput(
    interval: ArrayLike, checkpoint: ArrayLike, restart: ArrayLike, between_failures: ArrayLike
) -> np.ndarray | float:
    """Young's first-order goodput: each failure costs a restart and half an interval.

    Parameters and errors are those of `goodput`; the result is
    1 / (1 + delta / tau + (R + (tau + delta) / 2) / M). It errs where M is not far above tau.

    References
    ----------
    Young, "A first order approximation to the optimum checkpoint interval", Communications of the
    ACM 17(9), 1974, doi:10.1145/361147.361115; R as in Daly 2006, first-order model.
    """
    tau, delta, R, M = _checked(interval, checkpoint, restart, between_failures)
    return arguments.unwrapped(1 / (1 + delta / tau + (R + (tau + delta) / 2) / M))


def young_interval(checkpoint: ArrayLike, between_failures: ArrayLike) -> np.ndarray | float:
    """Young's interval between checkpoints, sqrt(2 delta M).

    Parameters
    ----------
    checkpoint, between_failures : array_like, above 0
        Time delta of a checkpoint and mean time M between failures.

    Returns
    -------
    ndarray or float
        Work tau between two checkpoints.

    Raises
    ------
    ValueError
        If an argument is not above 0 or the shapes do not match.

    References
    ----------
    Young 1974 (see `first_order_goodput`).

    Examples
    --------
    >>> young_interval(5, 1000)
    100.0
    """
    delta, M = _pair(checkpoint, between_failures)
    return arguments.unwrapped(np.sqrt(2 * delta * M))


def daly_interval(checkpoint: ArrayLike, between_failures: ArrayLike) -> np.ndarray | float:
    """Daly's interval: Young's with two more terms, M itself where a checkpoint takes 2 M or more.

    Parameters and errors are those of `young_interval`; the result is
    sqrt(2 delta M) (1 + sqrt(delta / (2 M)) / 3 + delta / (18 M)) - delta.

    References
    ----------
    Daly 2006 (see `goodput`), the perturbation solution. Its figures 3 to 5 give 117, 57 and 9.1
    minutes for M of 24 h, 6 h and 15 min and delta of 5 min.

    Examples
    --------
    >>> daly_interval(5, [24 * 60, 6 * 60, 15]).round(1).tolist()
    [116.7, 56.7, 9.1]
    """
    delta, M = _pair(checkpoint, between_failures)
    xi = delta / (2 * M)
    tau = np.sqrt(2 * delta * M) * (1 + np.sqrt(xi) / 3 + xi / 9) - delta
    return arguments.unwrapped(np.where(delta < 2 * M, tau, M))


def best_interval(checkpoint: ArrayLike, between_failures: ArrayLike) -> np.ndarray | float:
    """Work between two checkpoints that makes `goodput` largest, exactly.

    Parameters and errors are those of `young_interval`; the result is
    M (1 + W(-exp(-1 - delta / M))) with Lambert's W. The time of a restart does not matter.

    References
    ----------
    Daly 2006 (see `goodput`) names Lambert's function for it; it follows from setting the
    derivative of tau / (exp((tau + delta) / M) - 1) to zero.
    """
    delta, M = _pair(checkpoint, between_failures)
    return arguments.unwrapped(M * (1 + lambertw(-np.exp(-1 - delta / M)).real))


@dataclass(frozen=True)
class FailureRun:
    """A job drawn at random, from failure to failure.

    Parameters
    ----------
    kept : array, shape (failures,)
        Work that was done and saved before each failure, since the one before.
    elapsed : array, shape (failures,)
        Time between two failures.
    """

    kept: np.ndarray
    elapsed: np.ndarray

    @property
    def goodput(self) -> float:
        """Share of the time that went into kept work."""
        return float(self.kept.sum() / self.elapsed.sum())


def simulate_failures(
    interval: float,
    checkpoint: float,
    restart: float,
    gaps: ArrayLike,
) -> FailureRun:
    """Play a job through given times between failures, whatever their distribution.

    After each failure the job restarts, then works and saves in turn until the next.

    Parameters
    ----------
    interval : float, above 0
        Work tau between two checkpoints.
    checkpoint, restart : float, at least 0
        Time delta of a checkpoint and R of a restart.
    gaps : array_like, above 0, shape (failures,)
        Times between failures, such as ``rng.exponential(M, size)`` or Weibull ones.

    Returns
    -------
    FailureRun
        One entry for each failure.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    tau, delta, R, gaps = _checked(interval, checkpoint, restart, gaps)
    saved = np.floor(np.maximum(gaps - R, 0.0) / (tau + delta))
    return FailureRun(np.atleast_1d(saved * tau), np.atleast_1d(gaps))


def most_restart(
    target: float, checkpoint: ArrayLike, between_failures: ArrayLike
) -> np.ndarray | float:
    """Longest restart with which the best interval still reaches a goodput.

    Parameters
    ----------
    target : float, above 0 and at most 1
        Goodput to be reached.
    checkpoint, between_failures : array_like, above 0
        Time delta of a checkpoint and mean time M between failures.

    Returns
    -------
    ndarray or float
        Time R; NaN where the checkpoints alone cost more.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.
    """
    arguments.positive("target", arguments.fraction("target", target))
    delta, M = _pair(checkpoint, between_failures)
    without = goodput(best_interval(delta, M), delta, 0.0, M)
    spare = M * np.log(np.asarray(without) / target)
    return arguments.unwrapped(np.where(spare >= 0, spare, np.nan))


def _checked(tau: ArrayLike, delta: ArrayLike, R: ArrayLike, M: ArrayLike) -> tuple:
    tau = arguments.positive("interval", tau)
    delta = arguments.not_negative("checkpoint", delta)
    R = arguments.not_negative("restart", R)
    M = arguments.positive("between_failures", M)
    arguments.together(interval=tau, checkpoint=delta, restart=R, between_failures=M)
    return tau, delta, R, M


def _pair(delta: ArrayLike, M: ArrayLike) -> tuple:
    delta = arguments.positive("checkpoint", delta)
    M = arguments.positive("between_failures", M)
    arguments.together(checkpoint=delta, between_failures=M)
    return delta, M
