"""The five laws as curves: what each needs, how it is fitted to log times, what speedup it gives.

Each `refit` takes log times per unit of work, shape (..., K), and works on any number of data
sets at once: on the observed means for the estimate, on draws of them for the interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from amdahl_lab import laws
from amdahl_lab.fitting.curves import fit_terms

Refit = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[dict[str, np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Curve:
    """One law that can be fitted.

    Parameters
    ----------
    name : str
        Name of the law.
    unknowns : int
        Its parameters and the time on the reference.
    least : int
        Fewest numbers of workers that identify it.
    too_few : str
        Why fewer do not.
    refit : callable
        Log times, workers and weights, to the parameters and the log time on the reference.
    speedup : callable
        Workers and the parameters by name, to the speedup over the reference.
    phases : tuple of str
        Phases that it is fitted to.
    free : callable, optional
        As `refit`, without the bounds on the parameters, for draws: where one of two parameters
        is held at its bound, the other moves with it, and intervals made of such fits miss the
        truth too often. The bounds are put on the ends of the intervals instead.
    """

    name: str
    unknowns: int
    least: int
    too_few: str
    refit: Refit
    speedup: Callable[..., np.ndarray | float]
    phases: tuple[str, ...] = ("step",)
    free: Refit | None = None


def _amdahl(logs, N, weights):
    theta, constant = fit_terms(logs, 1 / N, (1 - 1 / N)[None], weights)
    return {"serial_fraction": theta[..., 0]}, constant


def _usl(logs, N, weights, lower=0.0):
    terms = np.stack([1 - 1 / N, N - 1])
    # At kappa = 1 two workers take half as long again as one: beyond it nobody would fit a curve.
    theta, constant = fit_terms(logs, 1 / N, terms, weights, lower=lower)
    return {"contention": theta[..., 0], "coherency": theta[..., 1]}, constant


def _usl_speedup(workers, contention, coherency):
    """`laws.usl_speedup`, also for draws below 0: their speedup is N where it would be more."""
    N = np.asarray(workers, dtype=float)
    h = 1 / N + contention * (1 - 1 / N) + coherency * (N - 1)
    return 1 / np.maximum(h, 1 / N)


def _gustafson(logs, N, weights):
    # Rates add up, times do not: the rate is N - s' (N - 1) times that of one worker.
    theta, constant = fit_terms(-logs, N, (1 - N)[None], weights)
    return {"scaled_serial_fraction": theta[..., 0]}, -constant


def _constant_efficiency(logs, N, weights):
    rest = weights[1:] / weights[1:].sum()
    first = logs[..., 0]
    return {"efficiency": np.exp(first + np.log(N[0]) - (logs[..., 1:] + np.log(N[1:])) @ rest)}, (
        first
    )


def _with_communication(logs, N, weights):
    step, second = np.exp(logs[..., : len(N)]), logs[..., len(N) :]
    parameters, constant = _amdahl(second, N, weights)
    one = np.exp(constant)[..., None]
    exposed = (step - np.exp(second)) / one
    s = parameters["serial_fraction"][..., None]
    h = 1 / N + s * (1 - 1 / N)
    precision = weights / h**2  # a spread in per cent of the time, on the scale of the time
    each = (precision * (N - 1) * exposed).sum(-1) / (precision * (N - 1) ** 2).sum(-1)
    return parameters | {"communication_per_worker": np.maximum(each, 0.0)}, constant


def amdahl_with_communication_speedup(
    workers: np.ndarray, serial_fraction: np.ndarray, communication_per_worker: np.ndarray
) -> np.ndarray | float:
    """Speedup of Amdahl's law with a communication cost for each further worker.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    serial_fraction : array_like, between 0 and 1
        Share s of the one-worker time that only one worker can do.
    communication_per_worker : array_like, at least 0
        Exposed communication c that each worker beyond the first adds to the step, as a share of
        the one-worker time.

    Returns
    -------
    ndarray or float
        S = 1 / (s + (1 - s) / N + c (N - 1)): the Universal Scalability Law's form, with its
        coherency read off measured phases and not off the curve.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(amdahl_with_communication_speedup(8, 0.1, 0.005), 3)
    4.04
    """
    return laws.usl_speedup(workers, serial_fraction, communication_per_worker)


def constant_efficiency_speedup(workers: np.ndarray, efficiency: np.ndarray) -> np.ndarray | float:
    """Speedup of a fixed share of each worker, paid as soon as there is a second one.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N, in units of the reference's.
    efficiency : array_like, above 0
        Share E of perfect scaling.

    Returns
    -------
    ndarray or float
        S = E N above N = 1, and N up to it.

    Examples
    --------
    >>> constant_efficiency_speedup([1, 2, 8], 0.75).tolist()
    [1.0, 1.5, 6.0]
    """
    N = np.asarray(workers, dtype=float)
    S = np.where(N > 1, N * np.asarray(efficiency, dtype=float), N)
    return S.item() if S.ndim == 0 else S


AMDAHL = Curve(
    "Amdahl",
    2,
    2,
    "times at one number of workers fit every serial fraction",
    _amdahl,
    laws.amdahl_speedup,
)
WITH_COMMUNICATION = Curve(
    "Amdahl with measured communication",
    3,
    2,
    "times at one number of workers fit every serial fraction",
    _with_communication,
    amdahl_with_communication_speedup,
    ("step", "compute"),
)
USL = Curve(
    "USL",
    3,
    4,
    "its three unknowns (time on one worker, contention, coherency) pass through any three "
    "times, so nothing is left to tell a law from noise",
    _usl,
    _usl_speedup,
    free=partial(_usl, lower=-1.0),
)
GUSTAFSON = Curve(
    "Gustafson",
    2,
    2,
    "times at one number of workers fit every scaled serial fraction",
    _gustafson,
    laws.gustafson_speedup,
)
CONSTANT_EFFICIENCY = Curve(
    "constant efficiency",
    2,
    2,
    "efficiency compares two numbers of workers",
    _constant_efficiency,
    constant_efficiency_speedup,
)
CURVES = (AMDAHL, WITH_COMMUNICATION, USL, GUSTAFSON, CONSTANT_EFFICIENCY)
