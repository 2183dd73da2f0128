"""Rivals side by side: every law that a run can identify, and how well each guesses the next N."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from amdahl_lab.fitting.estimators import DRAWS, FITS
from amdahl_lab.fitting.fit import Fit, NotIdentifiedError
from amdahl_lab.fitting.observed import Runs, kept, observe
from amdahl_lab.records import Interval


@dataclass(frozen=True)
class HeldOut:
    """One law's guess at the largest N, made from the others.

    Parameters
    ----------
    workers : int
        The N that was held out.
    predicted : Interval
        Seconds by the law for as many new rounds as were taken, in the unit of `measured`.
    measured : float
        Typical (geometric mean) seconds that were measured.
    """

    workers: int
    predicted: Interval
    measured: float

    @property
    def error(self) -> float:
        """Predicted over measured time, less 1: above 0 where the law was too pessimistic."""
        return self.predicted.estimate / self.measured - 1


def fit_all(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> dict[str, Fit | NotIdentifiedError]:
    """Fit every law that the measurements can identify.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`.

    Returns
    -------
    dict of str to Fit or NotIdentifiedError
        For each law its fit, or the refusal, whose text says why.

    Raises
    ------
    ValueError
        If an argument is out of range, or runs of two machines or experiments are mixed.
    """
    runs = kept(runs)
    return {
        law: _or_refusal(fit, runs, rng=rng, level=level, draws=draws, workers=workers)
        for law, fit in FITS.items()
    }


def held_out_errors(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> dict[str, HeldOut | NotIdentifiedError]:
    """Leave the largest N out, fit each law to the others, and compare its guess with the time.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`.

    Returns
    -------
    dict of str to HeldOut or NotIdentifiedError
        For each law its guess, or why the remaining N can't identify it.

    Raises
    ------
    ValueError
        If an argument is out of range, or runs of two machines or experiments are mixed.

    Examples
    --------
    >>> from amdahl_lab.recorded import reference_run
    >>> errors = held_out_errors(
    ...     reference_run("digits_scaling"), rng=np.random.default_rng(0), workers=[1, 2, 4]
    ... )
    >>> errors["Amdahl"].workers
    4
    >>> print(errors["USL"])
    workers must hold at least 4 numbers, got [1, 2]: its three unknowns (time on one worker, \
contention, coherency) pass through any three times, so nothing is left to tell a law from noise
    """
    runs = kept(runs)
    observed = observe(runs, workers)
    rest, largest = observed.workers[:-1].astype(int).tolist(), int(observed.workers[-1])
    fits = {
        law: _or_refusal(fit, runs, rng=rng, level=level, draws=draws, workers=rest)
        for law, fit in FITS.items()
    }
    logs = observed.logs[-1]
    # The logs are per unit of work; where the work grows, N workers do N units.
    measured = float(np.exp(logs.mean())) * (largest if observed.growth == "grows" else 1)
    return {
        law: fit
        if isinstance(fit, NotIdentifiedError)
        else HeldOut(largest, fit.predict_seconds(largest, new_rounds=logs.size)[0], measured)
        for law, fit in fits.items()
    }


def _or_refusal(
    fit: Callable[..., Fit], runs: Runs, **arguments: object
) -> Fit | NotIdentifiedError:
    try:
        return fit(runs, **arguments)
    except NotIdentifiedError as refusal:
        return refusal
