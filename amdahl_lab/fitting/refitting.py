"""One curve fitted to what was observed, and fitted again to draws of it for the intervals.

The estimate is least squares on log times, because a clock that is 3% off is 3% off at every N,
with weights that were fixed before a time was seen (`curves.working_weights`). The interval fits
the same curve again to draws of the typical times (`statistics.round_draws`), which keep what the
rounds share.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from amdahl_lab.fitting import rivals
from amdahl_lab.fitting.curves import working_weights
from amdahl_lab.fitting.fit import Fit, Noise, NotIdentifiedError
from amdahl_lab.fitting.observed import BASIS, Observed
from amdahl_lab.records import Interval
from amdahl_lab.statistics import draws_interval

SINGLE = (
    "one value at each N: the interval is made from the scatter about the law, and takes the law's "
    "own misfit for noise"
)


def fitted(
    curve: rivals.Curve, observed: Observed, rng: np.random.Generator, level: float, draws: int
) -> Fit:
    """Fit a curve to observed times.

    Parameters
    ----------
    curve : Curve
        The law.
    observed : Observed
        The times.
    rng : numpy.random.Generator
        Source of the draws.
    level : float, inside 0 to 1
        Confidence level.
    draws : int
        Number of draws.

    Returns
    -------
    Fit
        The law's parameters, with intervals.

    Raises
    ------
    NotIdentifiedError
        If there are too few numbers of workers.
    """
    N = observed.workers
    if len(N) < curve.least:
        raise NotIdentifiedError(
            f"workers must hold at least {curve.least} numbers, got {N.astype(int).tolist()}: "
            f"{curve.too_few}"
        )
    reference = int(N[0]) if curve is rivals.CONSTANT_EFFICIENCY else 1
    speedup = curve.speedup if reference == 1 else partial(_over, curve.speedup, reference)
    single = observed.source == "single"
    weights = np.full(len(N), 1 / len(N)) if single else working_weights(N)
    estimates, constant = curve.refit(observed.centre, N, weights)
    if single:
        freedom = len(N) - curve.unknowns
        drawn, scale = scattered(
            observed.centre, constant - np.log(speedup(N, **estimates)), freedom, draws, rng
        )
        ratios = times = dict.fromkeys(N.astype(int).tolist(), scale)
    else:
        freedom = observed.counts - 1
        drawn = observed.draws(draws, rng)
        ratios, times = observed.spreads(reference)
    parameters, constants = (curve.free or curve.refit)(drawn, N, weights)
    stray = rng.standard_t(freedom, draws)
    share = reference if observed.growth == "grows" else 1  # times are per worker's share of work
    intervals = {
        name: draws_interval(float(estimates[name]), parameters[name], level) for name in parameters
    }
    if curve.free:
        intervals = {name: _within_bounds(interval) for name, interval in intervals.items()}
    return Fit(
        law=curve.name,
        workers=tuple(int(n) for n in N),
        parameters=intervals,
        estimates={name: float(value) for name, value in estimates.items()},
        draws=parameters,
        speedup=speedup,
        level=level,
        reference=reference,
        seconds=share * float(np.exp(constant)),
        seconds_draws=share * np.exp(constants),
        noise=Noise(ratios, stray),
        time_noise=Noise(times, stray),
        basis=BASIS[observed.source].format(freedom if single else observed.counts),
        scaled=observed.growth == "grows",
        notes=(*_notes(intervals), *([SINGLE] if single else [])),
    )


def scattered(
    centre: np.ndarray, law: np.ndarray, freedom: int, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Draw log times around the law as single values scatter about it; return also the spread.

    Parameters
    ----------
    centre, law : ndarray, shape (K,)
        Logarithms that were observed, and the law's.
    freedom : int
        Values that the law's unknowns leave over.
    draws : int
        Number D of draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    drawn : ndarray, shape (D, K)
    scale : float
        Standard deviation of the scatter.

    Raises
    ------
    NotIdentifiedError
        If there are no more values than unknowns.
    """
    if freedom < 1:
        raise NotIdentifiedError(
            f"single values must be at more N than the law has unknowns, got {len(centre)} values: "
            "no scatter is left to make an interval from"
        )
    scale = float(np.sqrt(((centre - law) ** 2).sum() / freedom))
    errors = rng.standard_normal((draws, len(centre)))
    errors *= scale * np.sqrt(freedom / rng.chisquare(freedom, (draws, 1)))
    return law - np.clip(errors, -50, 50), scale  # one degree of freedom has wild tails


def _within_bounds(interval: Interval) -> Interval:
    """Keep the ends within 0 to 1, and the estimate between the ends."""
    low, high = np.clip([interval.low, interval.high], 0.0, 1.0)
    return Interval(
        interval.estimate,
        min(low, interval.estimate),
        max(high, interval.estimate),
        interval.level,
    )


def _over(speedup: Callable, reference: int, workers: object, **parameters: object) -> object:
    return speedup(np.asarray(workers, dtype=float) / reference, **parameters)


def _notes(intervals: Mapping[str, Interval]) -> Iterator[str]:
    for name, interval in intervals.items():
        if name in ("serial_fraction", "scaled_serial_fraction") and interval.high == 0:
            yield (
                "every plausible fit has a speedup above N, which the law does not allow: look "
                "for the cause (cache, allocation, an unfair time on one worker) before using it"
            )
        elif name in ("serial_fraction", "scaled_serial_fraction") and interval.low == 1:
            yield "more workers are slower, which the law does not allow: it reads as all serial"
        elif name == "coherency" and interval.estimate == 0:
            yield "the coherency that fits best is 0, and with it the law is Amdahl's"
