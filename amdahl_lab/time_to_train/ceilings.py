"""Where more stops helping: what a step takes at least, and the fewest steps to the target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments
from amdahl_lab.fitting import NotIdentifiedError
from amdahl_lab.fitting.curves import fit_terms
from amdahl_lab.fitting.refitting import scattered
from amdahl_lab.records import Interval
from amdahl_lab.statistics import draws_interval
from amdahl_lab.time_to_train.series import Series

DRAWS = 4000
REACH = 1000.0  # the term may count up to so many times the base


@dataclass(frozen=True)
class StepFit:
    """The machine's law, t = a + b B / N for a step, fitted to a series.

    Parameters
    ----------
    half_efficiency_batch : Interval
        Samples h = a / b for each worker with which half of a step is spent on a.
    seconds_per_step : Interval
        a, which no number of workers shortens.
    seconds_per_sample : Interval
        b.
    residuals : tuple of float
        Observed over fitted seconds per sample, less 1, at each N.
    """

    half_efficiency_batch: Interval
    seconds_per_step: Interval
    seconds_per_sample: Interval
    residuals: tuple[float, ...]


@dataclass(frozen=True)
class SamplesFit:
    """The optimiser's law, D = D_min (1 + B / B_c) samples to the target, fitted to points.

    Parameters
    ----------
    critical_batch : Interval
        Batch B_c that takes twice the fewest samples.
    fewest_samples : Interval
        D_min.
    fewest_steps : Interval
        D_min / B_c, which no batch gets below.
    residuals : tuple of float
        Observed over fitted samples, less 1, at each batch.
    """

    critical_batch: Interval
    fewest_samples: Interval
    fewest_steps: Interval
    residuals: tuple[float, ...]


def fit_half_efficiency_batch(
    series: Series, *, rng: np.random.Generator, level: float = 0.95
) -> StepFit:
    """Fit what a step takes at least, and for each sample, to the rates of a series.

    Parameters
    ----------
    series : Series
        With rates and batches at three numbers of workers or more.
    rng : numpy.random.Generator
        Source of the draws. Intervals are made from the scatter about the law, and so take its
        misfit for noise.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    StepFit
        The fit.

    Raises
    ------
    NotIdentifiedError
        If there are too few numbers of workers, or no rates and batches.
    """
    if not (series.rates and series.batches):
        raise NotIdentifiedError(
            f"series {series.name!r} must have rates and batches, for a step to be told from the "
            "samples in it"
        )
    N, B = np.array(series.workers, dtype=float), np.array(series.batches)
    if same_share(N, B):
        raise NotIdentifiedError(
            f"batch per worker must change with N, got {B[0] / N[0]:g} at every N: then a step "
            "takes the same time at every N, whatever part of it is divided"
        )
    logs = np.log(series.per_sample("rate"))
    ratio, constants, residuals = _one_term(logs, 1 / N, 1 / B, rng)
    b = np.exp(constants)
    return StepFit(*_intervals(level, ratio, ratio * b, b), tuple(residuals))


def same_share(workers: np.ndarray, batches: np.ndarray) -> bool:
    """Tell whether the batch per worker is the same, to 1%, at every number of workers."""
    shares = batches / workers
    return bool(np.ptp(shares) <= 0.01 * shares.mean())


def fit_samples_to_target(
    batches: ArrayLike, samples: ArrayLike, *, rng: np.random.Generator, level: float = 0.95
) -> SamplesFit:
    """Fit the critical batch to samples to the target at three batches or more.

    Parameters
    ----------
    batches, samples : array_like, shape (K,), above 0
        Samples in a step, and to the target.
    rng, level
        As for `fit_half_efficiency_batch`.

    Returns
    -------
    SamplesFit
        The fit; the critical batch is inf where more samples per step cost none more in all.

    Raises
    ------
    ValueError
        If the arrays do not match or hold a value that is not above 0.
    NotIdentifiedError
        If there are too few batches.
    """
    B, D = arguments.positive("batches", batches), arguments.positive("samples", samples)
    if B.ndim != 1 or B.shape != D.shape:
        raise ValueError(f"batches and samples must match, got shapes {B.shape} and {D.shape}")
    inverse, constants, residuals = _one_term(np.log(D), np.ones_like(B), B, rng)
    fewest = np.exp(constants)
    ratio, *others = _intervals(level, inverse, fewest, fewest * inverse)
    with np.errstate(divide="ignore"):
        ends = np.divide(1.0, [ratio.estimate, ratio.high, ratio.low])
    return SamplesFit(Interval(*ends, level), *others, tuple(residuals))


def _one_term(
    logs: np.ndarray, base: np.ndarray, term: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit log(base + theta term) plus a constant; return the estimate, then draws, of both."""
    K = len(logs)
    if K < 3:
        raise NotIdentifiedError(
            f"a law with two unknowns must have at least 3 values, got {K}: no scatter is left"
        )
    weights = np.full(K, 1 / K)
    scale = REACH * (base / term).max()

    def refit(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        theta, constant = fit_terms(values, base, scale * term[None], weights)
        return scale * theta[..., 0], constant

    theta, constant = refit(logs)
    law = constant + np.log(base + theta * term)
    drawn, _ = scattered(logs, law, K - 2, DRAWS, rng)
    thetas, constants = refit(drawn)
    return np.append(theta, thetas), np.append(constant, constants), np.exp(logs - law) - 1


def _intervals(level: float, *values: np.ndarray) -> Sequence[Interval]:
    found = []
    for each in values:
        interval = draws_interval(float(each[0]), each[1:], level)
        low, high = min(interval.low, each[0]), max(interval.high, each[0])
        found.append(Interval(each[0], low, high, level))
    return found
