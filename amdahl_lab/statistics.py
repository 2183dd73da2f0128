"""Intervals for times and their ratios; the unit that varies is the round.

Times are positive and their errors multiply, so all work is done on logarithms. A random number
generator is always passed in, never made here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from amdahl_lab import arguments
from amdahl_lab.intervals import share_interval
from amdahl_lab.records import Interval


def _rounds(name: str, values: ArrayLike) -> np.ndarray:
    values = arguments.positive(name, values)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"{name} must hold at least 2 rounds, got shape {values.shape}")
    return values


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    return level


def mean_time_interval(seconds: ArrayLike, level: float = 0.95) -> Interval:
    """Typical (geometric mean) time of several rounds, with Student's t interval on the log.

    Parameters
    ----------
    seconds : array_like, shape (R,), R at least 2
        One time for each round.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        In seconds.

    Raises
    ------
    ValueError
        If there are fewer than two rounds or a time is not finite and above 0.

    Examples
    --------
    >>> print(mean_time_interval([0.9, 1.0, 1.1]))
    0.997 (95% interval 0.777 to 1.28)
    """
    logs = np.log(_rounds("seconds", seconds))
    half = stdtrit(logs.size - 1, (1 + _level(level)) / 2) * logs.std(ddof=1)
    half /= np.sqrt(logs.size)
    centre = logs.mean()
    return Interval(np.exp(centre), np.exp(centre - half), np.exp(centre + half), level)


def ratio_interval(numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95) -> Interval:
    """Typical ratio of two times measured side by side, round by round.

    What the machine did to a whole round cancels in the ratio, so rounds are paired.

    Parameters
    ----------
    numerator, denominator : array_like, shape (R,), R at least 2
        Times of the same rounds in the same order. For a speedup: T(1) over T(N).
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        Geometric mean of the R ratios, with Student's t interval on their logarithms.

    Raises
    ------
    ValueError
        If the numbers of rounds differ, there are fewer than two, or a time is not above 0.

    Examples
    --------
    >>> print(ratio_interval([2.0, 2.2, 2.1], [1.0, 1.1, 1.1]))
    1.97 (95% interval 1.84 to 2.11)
    """
    numerator = _rounds("numerator", numerator)
    denominator = _rounds("denominator", denominator)
    if numerator.size != denominator.size:
        raise ValueError(
            "numerator and denominator must have the same rounds, "
            f"got {numerator.size} and {denominator.size}"
        )
    return mean_time_interval(numerator / denominator, level)


def independent_ratio_interval(
    numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95
) -> Interval:
    """Typical ratio of two times that were measured each for itself.

    Parameters
    ----------
    numerator, denominator : array_like, each one-dimensional with at least 2 values
        Repeated times that share no rounds.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        Ratio of the geometric means, with Welch's interval on their logarithms: Student's t with
        the degrees of freedom that the two spreads are worth.

    Raises
    ------
    ValueError
        If there are fewer than two values or a time is not above 0.

    References
    ----------
    Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances
    are Involved", Biometrika 34, 1947.

    Examples
    --------
    >>> print(independent_ratio_interval([2.0, 2.2, 2.1], [1.0, 1.1]))
    2 (95% interval 1.5 to 2.66)
    """
    sides = [np.log(_rounds("numerator", numerator)), np.log(_rounds("denominator", denominator))]
    variances = np.array([side.var(ddof=1) / side.size for side in sides])
    centre, total = sides[0].mean() - sides[1].mean(), variances.sum()
    half = 0.0
    if total > 0:
        freedom = total**2 / sum(
            v**2 / (side.size - 1) for v, side in zip(variances, sides, strict=True)
        )
        half = stdtrit(freedom, (1 + _level(level)) / 2) * np.sqrt(total)
    return Interval(np.exp(centre), np.exp(centre - half), np.exp(centre + half), level)


def pivotal_draws(seconds: ArrayLike, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw plausible typical times, given what a few rounds showed.

    For a mean of R normal values, (mean - mu) / (s / sqrt(R)) follows Student's t whatever mu and
    sigma are. Turned round, mu = mean - t s / sqrt(R) with t drawn afresh is a generalised pivotal
    quantity: carried through any function of several mu, it gives intervals that keep close to
    their level with five rounds, where a bootstrap of five values does not.

    Parameters
    ----------
    seconds : array_like, shape (R,), R at least 2
        One time for each round.
    draws : int
        Number D of draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray, shape (D,)
        Draws of the typical (geometric mean) time, in seconds.

    Raises
    ------
    ValueError
        If there are fewer than two rounds or a time is not finite and above 0.

    References
    ----------
    Weerahandi, "Generalized Confidence Intervals", Journal of the American Statistical
    Association 88(423), 1993.

    Examples
    --------
    >>> pivotal_draws([1.0, 1.1, 0.9], 4, np.random.default_rng(0)).shape
    (4,)
    """
    logs = np.log(_rounds("seconds", seconds))
    t = rng.standard_t(logs.size - 1, size=draws)
    return np.exp(logs.mean() - t * logs.std(ddof=1) / np.sqrt(logs.size))


def round_draws(logs: ArrayLike, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw plausible typical log times of several configurations together, from shared rounds.

    What slows a whole round slows every configuration in it, so their times rise and fall
    together. Each draw weighs the rounds anew, with the same weights for every configuration:
    mu = mean - sum_r g_r (x_r - mean) / sqrt(R chi2), g standard normal and chi2 with R - 1
    degrees of freedom. This is a multivariate t around the means with the rounds' own covariance.
    For every fixed difference or other linear combination of the mu the draws reproduce Student's
    t interval of the paired rounds exactly, whatever the correlation inside a round.

    Parameters
    ----------
    logs : array_like, shape (..., R, C), R at least 2
        Logarithms of the times: a row for each round, a column for each configuration.
    draws : int
        Number D of draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray, shape (..., D, C)
        Draws of the means of the logarithms.

    Raises
    ------
    ValueError
        If there are fewer than two rounds or a logarithm is not finite.

    References
    ----------
    Weerahandi, "Generalized Confidence Intervals", Journal of the American Statistical
    Association 88(423), 1993, for the pivotal quantity; with one column it is his for a mean.

    Examples
    --------
    Two configurations that only ever slow down together differ by a factor of 2 in every draw:

    >>> logs = np.log([[2.0, 1.0], [2.4, 1.2], [2.2, 1.1]])
    >>> drawn = round_draws(logs, 3, np.random.default_rng(0))
    >>> np.exp(drawn[:, 0] - drawn[:, 1]).round(6).tolist()
    [2.0, 2.0, 2.0]
    """
    logs = np.asarray(logs, dtype=float)
    if logs.ndim < 2 or logs.shape[-2] < 2:
        raise ValueError(f"logs must hold at least 2 rounds, got shape {logs.shape}")
    if not np.isfinite(logs).all():
        raise ValueError("logs must be finite, got a value that is not")
    rounds, lead = logs.shape[-2], logs.shape[:-2]
    mean = logs.mean(axis=-2, keepdims=True)
    normal = rng.standard_normal((*lead, draws, rounds))
    chi2 = rng.chisquare(rounds - 1, (*lead, draws, 1))
    return mean - normal @ (logs - mean) / np.sqrt(rounds * chi2)


def draws_interval(estimate: float, draws: ArrayLike, level: float = 0.95) -> Interval:
    """Equal-tailed interval of a set of draws, with the estimate that it belongs to.

    Parameters
    ----------
    estimate : float
        The estimate, made from the observations and not from the draws.
    draws : array_like, shape (D,)
        Draws of the same quantity.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    Interval
        In the unit of the draws.

    Raises
    ------
    ValueError
        If the level is out of range.

    Examples
    --------
    >>> print(draws_interval(50, np.arange(1, 100), 0.9))
    50 (90% interval 5 to 95)
    """
    tail = (1 - _level(level)) / 2
    # The quantiles that hold the next draw, and not one of these, at the stated level.
    low, high = np.quantile(np.asarray(draws, dtype=float), [tail, 1 - tail], method="weibull")
    return Interval(estimate, low, high, level)


def coverage(trial: Callable[[np.random.Generator], bool], trials: int, seed: int) -> Interval:
    """Share of repeated trials in which an interval held the truth, with its own interval.

    Parameters
    ----------
    trial : callable
        Makes one data set with the generator that it is given; returns whether the interval
        computed from it holds the known true value.
    trials : int, at least 1
        Number of trials.
    seed : int
        Seed of the trials.

    Returns
    -------
    Interval
        The share, with the Wilson score interval.

    Raises
    ------
    ValueError
        If there is no trial.

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
    American Statistical Association 22(158), 1927.

    Examples
    --------
    >>> print(coverage(lambda rng: rng.random() < 0.95, 1000, seed=1))
    0.941 (95% interval 0.925 to 0.954)
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials!r}")
    rng = np.random.default_rng(seed)
    return share_interval(sum(bool(trial(rng)) for _ in range(trials)), trials)
