"""Laws judged by the largest number of workers, which they have not seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from amdahl_lab.fitting import NotIdentifiedError
from amdahl_lab.fitting.curves import fit_terms
from amdahl_lab.time_to_train.ceilings import same_share
from amdahl_lab.time_to_train.series import Series

REACH = 1000.0


@dataclass(frozen=True)
class Seen:
    """The points that a law is shown, and where it has to guess.

    Parameters
    ----------
    logs : ndarray, shape (K,)
        Logarithms of seconds, or of seconds per sample.
    workers : ndarray, shape (K,)
        Numbers of workers.
    batches : ndarray, shape (K,), or None
        Samples in a step.
    next_workers, next_batch : float
        Where to guess.
    """

    logs: np.ndarray
    workers: np.ndarray
    batches: np.ndarray | None
    next_workers: float
    next_batch: float | None


@dataclass(frozen=True)
class Guess:
    """One law's guess at the largest N, made from the others.

    Parameters
    ----------
    law : str
        Name of the law.
    freedom : int
        Points shown, less the law's unknowns: with 0 it goes through them whatever they are.
    predicted, measured : float
        Seconds to the target, or per sample.
    """

    law: str
    freedom: int
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """Predicted over measured, less 1: above 0 where the law was too pessimistic."""
        return self.predicted / self.measured - 1


def _sum_of(*terms: Callable[[np.ndarray], np.ndarray]) -> Callable[[Seen], float]:
    """Return the guess of a law whose time is 1 / N and shares of these terms of N."""

    def guess(seen: Seen) -> float:
        N, M = seen.workers, np.array([seen.next_workers])
        weights = np.full(len(N), 1 / len(N))
        theta, constant = fit_terms(seen.logs, 1 / N, np.stack([f(N) for f in terms]), weights)
        h = 1 / M + sum(share * f(M) for share, f in zip(theta, terms, strict=True))
        return float(constant + np.log(h[0]))

    return guess


def _gustafson(seen: Seen) -> float:
    N, M = seen.workers, seen.next_workers
    weights = np.full(len(N), 1 / len(N))
    theta, constant = fit_terms(-seen.logs, N, (1 - N)[None], weights)
    return float(-constant - np.log(M + theta[0] * (1 - M)))


def _per_step(seen: Seen) -> float:
    N, B = seen.workers, seen.batches
    if B is None or seen.next_batch is None:
        raise NotIdentifiedError("batches must be known at every N, got none")
    if same_share(N, B):
        raise NotIdentifiedError(
            f"batch per worker must change with N, got {B[0] / N[0]:g} at every N that is shown"
        )
    scale = REACH * (B / N).max()
    weights = np.full(len(N), 1 / len(N))
    theta, constant = fit_terms(seen.logs, 1 / N, (scale / B)[None], weights)
    return float(constant + np.log(1 / seen.next_workers + theta[0] * scale / seen.next_batch))


def _constant_efficiency(seen: Seen) -> float:
    rest = seen.logs[1:] + np.log(seen.workers[1:])
    return float(rest.mean() - np.log(seen.next_workers))


def _last_efficiency(seen: Seen) -> float:
    return float(seen.logs[-1] + np.log(seen.workers[-1] / seen.next_workers))


def _straight_line(seen: Seen) -> float:
    x = np.log(seen.workers)
    slope = (seen.logs[-1] - seen.logs[-2]) / (x[-1] - x[-2])
    return float(seen.logs[-1] + slope * (np.log(seen.next_workers) - x[-1]))


# For each its unknowns, and its guess at a logarithm.
LAWS: dict[str, tuple[int, Callable[[Seen], float]]] = {
    "Amdahl": (2, _sum_of(lambda N: 1 - 1 / N)),
    "Amdahl with communication": (3, _sum_of(lambda N: 1 - 1 / N, np.log2)),
    "USL": (3, _sum_of(lambda N: 1 - 1 / N, lambda N: N - 1)),
    "Gustafson": (2, _gustafson),
    "constant efficiency": (2, _constant_efficiency),
    "Amdahl per step": (2, _per_step),
}
# What needs no law: the efficiency of the last point stays, or the last slope on log-log paper.
BASELINES: dict[str, tuple[int, Callable[[Seen], float]]] = {
    "last efficiency": (1, _last_efficiency),
    "straight line": (2, _straight_line),
}


def held_out_guesses(
    series: Series, quantity: str | None = None
) -> dict[str, Guess | NotIdentifiedError]:
    """Hold the largest N out, fit each law and baseline to the rest, and compare.

    Estimates only: with three points left most intervals are too wide to say anything, and a law
    with three unknowns has none. All values weigh the same.

    Parameters
    ----------
    series : Series
        With at least three numbers of workers.
    quantity : {"rate", "time"}, optional
        What is guessed; the rate where it is known. "Amdahl per step" is a law of rates.

    Returns
    -------
    dict of str to Guess or NotIdentifiedError
        For each law and baseline its guess, or why there is none.

    Raises
    ------
    ValueError
        If the series does not have the quantity, or fewer than three numbers of workers.
    """
    values = series.per_sample(quantity)
    if len(values) < 3:
        raise ValueError(f"series must have at least 3 numbers of workers, got {len(values)}")
    by_rate = bool(series.rates) and quantity != "time"
    batches = np.array(series.batches) if series.batches and by_rate else None
    seen = Seen(
        np.log(values[:-1]),
        np.array(series.workers[:-1], dtype=float),
        None if batches is None else batches[:-1],
        series.workers[-1],
        None if batches is None else batches[-1],
    )
    return {
        law: _judged(law, unknowns, guess, seen, float(values[-1]))
        for law, (unknowns, guess) in {**LAWS, **BASELINES}.items()
    }


def _judged(
    law: str, unknowns: int, guess: Callable[[Seen], float], seen: Seen, measured: float
) -> Guess | NotIdentifiedError:
    points = len(seen.workers)
    if points < unknowns:
        return NotIdentifiedError(
            f"a law with {unknowns} unknowns must see at least {unknowns} numbers of workers, "
            f"got {points}"
        )
    try:
        return Guess(law, points - unknowns, float(np.exp(guess(seen))), measured)
    except NotIdentifiedError as refusal:
        return refusal
