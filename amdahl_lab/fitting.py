"""From a measured run to a law's parameters, with intervals, or a refusal that says why.

Amdahl's law makes the time a straight line in 1/N: T(N) = T(1) (s + (1 - s) / N) = a + b / N, with
s = a / (a + b). The line is fitted by least squares on relative errors, because a clock that is
3% off is 3% off at every N. The interval refits the line to draws of the typical time at each N.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments, laws
from amdahl_lab.records import Interval, ScalingRun
from amdahl_lab.statistics import draws_interval, pivotal_draws, ratio_interval

DRAWS = 4000


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
    speedup : callable
        The law: workers and the parameters by name, to the speedup.
    level : float
        Confidence level of the intervals.
    """

    law: str
    workers: tuple[int, ...]
    parameters: Mapping[str, Interval]
    estimates: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    speedup: Callable[..., np.ndarray | float]
    level: float

    def __post_init__(self) -> None:
        for name in ("parameters", "estimates", "draws"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def predict(self, workers: ArrayLike) -> list[Interval]:
        """Predict the speedup at numbers of workers, measured or not.

        Parameters
        ----------
        workers : array_like, shape (K,), finite and at least 1
            Numbers of workers N.

        Returns
        -------
        list of K Interval
            The law's speedup and the interval that the fit's uncertainty gives it. The interval
            takes the law for true; what the law leaves out is not in it.

        Raises
        ------
        ValueError
            If a number of workers is out of range.
        """
        return [
            draws_interval(
                float(self.speedup(N, **self.estimates)),
                self.speedup(N, **self.draws),
                self.level,
            )
            for N in np.atleast_1d(arguments.at_least_one("workers", workers))
        ]


def fit_amdahl(
    runs: ScalingRun | Iterable[ScalingRun],
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit Amdahl's serial fraction to a run.

    Parameters
    ----------
    runs : ScalingRun, or several of the same experiment on the same machine
        The measured times; the phase "step" is used.
    rng : numpy.random.Generator
        Source of the draws behind the interval.
    level : float, inside 0 to 1
        Confidence level.
    draws : int
        Number of draws.
    workers : sequence of int, optional
        Numbers of workers to use; all that were measured where it is not given. Leave out those
        with more workers than cores: for them the law's equal workers do not exist.

    Returns
    -------
    Fit
        With the parameter "serial_fraction", its ends kept within 0 to 1.

    Raises
    ------
    ValueError
        If there is one number of workers only, a single round, or runs of two machines or two
        experiments.

    References
    ----------
    The interval: `statistics.pivotal_draws`. Its coverage is proven on synthetic runs in
    ``tests/unit/test_fitting.py``.
    """
    times = _times(runs, workers)
    N = np.array(sorted(times), dtype=float)
    estimate = np.exp([[np.log(times[n]).mean() for n in sorted(times)]])
    drawn = np.stack([pivotal_draws(times[n], draws, rng) for n in sorted(times)], axis=1)
    s = float(_serial_fractions(N, estimate)[0])
    s_draws = _serial_fractions(N, drawn)
    return Fit(
        law="Amdahl",
        workers=tuple(int(n) for n in N),
        parameters={"serial_fraction": draws_interval(s, s_draws, level)},
        estimates={"serial_fraction": s},
        draws={"serial_fraction": s_draws},
        speedup=laws.amdahl_speedup,
        level=level,
    )


def speedups(run: ScalingRun, level: float = 0.95) -> dict[int, Interval]:
    """Measured speedup over one worker at each number of workers above 1.

    Parameters
    ----------
    run : ScalingRun
        A run that holds the phase "step" on one worker.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    dict of int to Interval
        For each N the speedup, from ratios of the same round.

    Raises
    ------
    ValueError
        If one worker was not measured, or there are fewer than two rounds.
    """
    base = run.seconds(1)
    return {N: ratio_interval(base, run.seconds(N), level) for N in run.workers if N > 1}


def _serial_fractions(workers: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Fit a + b / N to each row of times (D, K) with relative errors; return s, shape (D,)."""
    weights = 1 / times**2
    x = 1 / workers
    w, wx, wxx = weights.sum(1), weights @ x, weights @ x**2
    wt, wtx = (weights * times).sum(1), (weights * times) @ x
    a = wxx * wt - wx * wtx  # both times the same positive determinant, which s = a / (a + b)
    b = w * wtx - wx * wt  # does not need
    return np.clip(a / (a + b), 0.0, 1.0)


def _times(
    runs: ScalingRun | Iterable[ScalingRun], workers: Sequence[int] | None
) -> dict[int, np.ndarray]:
    runs = [runs] if isinstance(runs, ScalingRun) else list(runs)
    if not runs:
        raise ValueError("runs must hold at least one run, got none")
    for field, values in (
        ("machine", {run.machine.hardware for run in runs}),
        ("experiment", {run.experiment for run in runs}),
    ):
        if len(values) > 1:
            raise ValueError(f"runs must share one {field}, got {len(values)}: {sorted(values)}")
    chosen = sorted(set(runs[0].workers if workers is None else workers))
    if len(chosen) < 2:
        raise ValueError(
            f"workers must hold at least two numbers, got {chosen}: times at one number of "
            "workers fit every serial fraction"
        )
    return {n: np.concatenate([run.seconds(n) for run in runs]) for n in chosen}
