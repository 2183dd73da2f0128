"""What a fit gives: parameters with intervals, and predictions of the law or of a measurement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments
from amdahl_lab.records import Interval
from amdahl_lab.statistics import draws_interval


class NotIdentifiedError(ValueError):
    """The measurements can't tell a law's parameters; the message is one sentence that says why."""


@dataclass(frozen=True)
class Noise:
    """How a new measurement strays from its law.

    Parameters
    ----------
    spread : mapping of int to float
        At each measured N the standard deviation of one round's logarithm: of the ratio to the
        reference where both were measured in the same rounds, else of the time itself.
    draws : ndarray, shape (D,)
        Draws of Student's t that stand for one new error in units of the spread.
    """

    spread: Mapping[int, float]
    draws: np.ndarray

    def at(self, workers: float) -> np.ndarray:
        """Return draws of the error of one new round's logarithm, shape (D,).

        Where N was not measured, the spread of the nearest N on a log scale is taken, and grows
        with the logarithm of N beyond the largest one.
        """
        measured = np.array(sorted(self.spread), dtype=float)
        nearest = measured[np.abs(np.log(measured / workers)).argmin()]
        first = measured.min()
        growth = (1 + np.log2(workers / first)) / (1 + np.log2(nearest / first))
        errors = self.draws * self.spread[int(nearest)] * max(growth, 1.0)
        return np.clip(errors, -50, 50)  # one degree of freedom has wild tails


@dataclass(frozen=True)
class Fit:
    """A law fitted to a run.

    Parameters
    ----------
    law : str
        Name of the law.
    workers : tuple of int
        Numbers of workers that the law was fitted to.
    parameters : mapping of str to Interval
        The fitted parameters, under the names of the law's arguments.
    estimates : mapping of str to float
        Point estimates that predictions are made from.
    draws : mapping of str to ndarray, shape (D,)
        Plausible parameters together, draw by draw; they carry the uncertainty to predictions.
        Those of a law with two parameters may lie beyond the law's bounds.
    speedup : callable
        The law: workers and the parameters by name, to the speedup over the reference.
    level : float
        Confidence level of the intervals.
    reference : int
        Workers that speedups are counted from: 1, except for constant efficiency where one
        worker was not measured.
    seconds : float
        Estimated seconds on the reference, by the law.
    seconds_draws : ndarray, shape (D,)
        Plausible seconds on the reference, draw by draw with `draws`.
    noise, time_noise : Noise
        How a newly measured speedup strays from the law, and a newly measured time.
    basis : str
        What the intervals are made from, in words.
    scaled : bool
        Whether the work grows with N, as Gustafson's law has it.
    notes : tuple of str
        What a reader must know before believing the fit, each one sentence.
    """

    law: str
    workers: tuple[int, ...]
    parameters: Mapping[str, Interval]
    estimates: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    speedup: Callable[..., np.ndarray | float]
    level: float
    reference: int
    seconds: float
    seconds_draws: np.ndarray
    noise: Noise
    time_noise: Noise
    basis: str
    scaled: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("parameters", "estimates", "draws"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def predict(
        self, workers: ArrayLike, *, new_rounds: int | None = None, over: float | None = None
    ) -> list[Interval]:
        """Predict the speedup at numbers of workers, measured or not.

        Parameters
        ----------
        workers : array_like, shape (K,), finite and at least 1
            Numbers of workers N.
        new_rounds : int, at least 1, optional
            Not given, the interval is of the law's own speedup at N, the mean of endless rounds.
            Given, it is of a new measurement: the typical speedup of this many further rounds.
            It is wider by what single rounds stray.
        over : float, at least 1, optional
            Workers that the speedup is counted from; the fit's `reference` where it is not given.

        Returns
        -------
        list of K Interval
            The law's speedup over the reference, and the interval. Both take the law for true;
            what the law leaves out is in neither.

        Raises
        ------
        ValueError
            If an argument is out of range.
        """
        over = self.reference if over is None else float(arguments.at_least_one("over", over))

        def ratio(N: float, parameters: Mapping, seconds: object) -> np.ndarray | float:
            return self.speedup(N, **parameters) / self.speedup(over, **parameters)

        return [
            # In every round the speedup over N at N itself is 1.
            self._interval(N, ratio, self.noise if over != N else None, new_rounds)
            for N in np.atleast_1d(arguments.at_least_one("workers", workers))
        ]

    def predict_seconds(
        self, workers: ArrayLike, *, new_rounds: int | None = None
    ) -> list[Interval]:
        """Predict the time at numbers of workers, measured or not.

        Parameters
        ----------
        workers, new_rounds
            As for `predict`.

        Returns
        -------
        list of K Interval
            Seconds; of the grown work where the law is Gustafson's.

        Raises
        ------
        ValueError
            If an argument is out of range.
        """
        return [
            self._interval(N, self._time, self.time_noise, new_rounds)
            for N in np.atleast_1d(arguments.at_least_one("workers", workers))
        ]

    def _time(self, N: float, parameters: Mapping, seconds: object) -> np.ndarray | float:
        work = N / self.reference if self.scaled else 1.0
        return seconds * work / self.speedup(N, **parameters)

    def _interval(
        self, N: float, quantity: Callable, noise: Noise | None, new_rounds: int | None
    ) -> Interval:
        estimate = float(quantity(N, self.estimates, self.seconds))
        drawn = quantity(N, self.draws, self.seconds_draws)
        if new_rounds is not None:
            if isinstance(new_rounds, bool) or new_rounds != int(new_rounds) or new_rounds < 1:
                raise ValueError(f"new_rounds must be a whole number from 1, got {new_rounds!r}")
            if noise is not None:
                drawn = drawn * np.exp(noise.at(N) / np.sqrt(new_rounds))
        return draws_interval(estimate, drawn, self.level)
