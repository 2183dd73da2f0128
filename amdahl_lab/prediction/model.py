"""A step's time as what is counted times what each costs, and the costs fitted to a few runs.

A cost is a time for one unit: a call, a FLOP, a byte, a message. All costs are above 0 and are
fitted as logarithms, with weak priors that keep what the runs do not show near a usual value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import stdtrit

from amdahl_lab.prediction.jobs import Job
from amdahl_lab.prediction.operations import PHASES, step_of
from amdahl_lab.schedule.stragglers import expected_maximum

# Usual seconds for one unit on a core of a small machine; the fit may leave them by far.
USUAL = {
    "load_calls": 1e-4,
    "load_images": 1e-6,
    "load_sequences": 5e-6,
    "cold_calls": 1e-4,
    "forward_calls": 1e-5,
    "backward_calls": 2e-5,
    "product_flops": 1.5e-11,
    "product_moved": 1e-10,
    "convolution_calls": 5e-5,
    "convolution_flops": 2e-11,
    "simple_numbers": 5e-10,
    "function_numbers": 2e-9,
    "update_calls": 1e-5,
    "update_moved": 4e-10,
    "gloo_messages": 2e-4,
    "gloo_moved": 1e-9,
    "shared_messages": 1e-4,
    "shared_moved": 3e-10,
}
COSTS = tuple(USUAL)
# How much slower each kind of cost is while the other core works too.
CONTENTION = {
    "calls": (
        "load_calls",
        "cold_calls",
        "forward_calls",
        "backward_calls",
        "convolution_calls",
        "update_calls",
    ),
    "arithmetic": (
        "load_images",
        "load_sequences",
        "product_flops",
        "convolution_flops",
        "simple_numbers",
        "function_numbers",
    ),
    "memory": ("product_moved", "update_moved"),
}
FACTORS = (*(f"contention_{kind}" for kind in CONTENTION), "jitter")  # and a time's own spread
NAMES = (*COSTS, *FACTORS)
COST_SPREAD = np.log(3)  # a standard deviation of the prior: a factor of three
FACTOR_USUAL, FACTOR_SPREAD = 0.1, np.log(3)
PHASE_TOLERANCE, STEP_TOLERANCE = 0.08, 0.05  # how well the form itself holds, in logarithms


@dataclass(frozen=True)
class ObservedJob:
    """What one calibration run showed.

    Parameters
    ----------
    job : Job
        What was run.
    seconds : mapping of str to float
        Typical seconds of "step" and of any of the phases.
    spread : mapping of str to float
        Standard error of the logarithm of each.
    """

    job: Job
    seconds: Mapping[str, float]
    spread: Mapping[str, float]


def counted(jobs: Sequence[Job]) -> np.ndarray:
    """Return the units of each cost, shape (jobs, phases, costs)."""
    found = np.zeros((len(jobs), len(PHASES), len(COSTS)))
    for row, job in zip(found, jobs, strict=True):
        for place, units in enumerate(step_of(job).phases.values()):
            for name, number in units.items():
                row[place, COSTS.index(name)] = number
    return found


def phase_seconds(
    units: np.ndarray, workers: np.ndarray, cores: float, logs: np.ndarray
) -> np.ndarray:
    """Return the seconds of each phase and, last, of the step, shape (jobs, phases + 1).

    Cores that work slow each other down; workers that outnumber the cores take turns.
    """
    costs = np.exp(logs[: len(COSTS)])
    *contention, jitter = np.exp(logs[len(COSTS) :])
    others = np.minimum(workers, cores) - 1
    slowed = np.ones((len(workers), len(COSTS)))
    for factor, names in zip(contention, CONTENTION.values(), strict=True):
        slowed[:, [COSTS.index(name) for name in names]] += factor * others[:, None]
    seconds = np.einsum("jpc,jc,c->jp", units, slowed, costs)
    busy = np.arange(len(PHASES)) != PHASES.index("exchange")
    turns = np.maximum(workers / cores, 1)
    seconds = np.where(busy, seconds * turns[:, None], seconds)
    waiting = jitter * expected_maximum(workers) * seconds[:, busy].sum(axis=1)
    return np.column_stack([seconds, seconds.sum(axis=1) + waiting])


@dataclass(frozen=True)
class Fitted:
    """The costs of one machine, and how far predictions made from them may be off.

    Parameters
    ----------
    logs : ndarray, shape (names,)
        Logarithms of the costs and factors, in the order of `NAMES`.
    covariance : ndarray, shape (names, names)
        Their covariance, priors included.
    inflation : float
        Root mean square of the calibration runs' standardised errors, each predicted from the
        others, and at least 1: what a predicted spread is multiplied by.
    cores : float
        Cores of the machine that may be used.
    left_out : ndarray, shape (runs,)
        Logarithm of observed over predicted step time, each run predicted from the others.
    """

    logs: np.ndarray
    covariance: np.ndarray
    inflation: float
    cores: float
    left_out: np.ndarray

    def predict(self, jobs: Sequence[Job], noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Predict step times, with the half width of the 95% interval of their logarithm.

        Parameters
        ----------
        jobs : sequence of Job
            What to predict.
        noise : float, at least 0
            Standard error of the logarithm with which each will be measured.

        Returns
        -------
        seconds, half : ndarray, shape (jobs,)
            The interval is ``seconds * exp(-half)`` to ``seconds * exp(half)``.
        """
        units, workers = counted(jobs), np.array([job.workers for job in jobs])
        seconds = phase_seconds(units, workers, self.cores, self.logs)[:, -1]
        spread = np.sqrt(
            _variance(units, workers, self.cores, self.logs, self.covariance) + noise**2
        )
        return seconds, stdtrit(len(self.left_out), 0.975) * self.inflation * spread

    def costs(self) -> dict[str, float]:
        """Return the costs in seconds for a unit, and the factors."""
        return dict(zip(NAMES, np.exp(self.logs).tolist(), strict=True))


def fit(observed: Sequence[ObservedJob], cores: float = 2) -> Fitted:
    """Fit the costs of one machine to a few calibration runs.

    Parameters
    ----------
    observed : sequence of ObservedJob, at least 4
        Calibration runs with their phases.
    cores : float, above 0
        Cores of the machine that may be used.

    Returns
    -------
    Fitted
        The costs.

    Raises
    ------
    ValueError
        If there are fewer than 4 runs, or no core.
    """
    if len(observed) < 4:
        raise ValueError(f"observed must hold at least 4 runs, got {len(observed)}")
    if not cores > 0:
        raise ValueError(f"cores must be above 0, got {cores!r}")
    logs, covariance = _solve(observed, cores)
    errors, standard = [], []
    for place, one in enumerate(observed):
        rest_logs, rest_covariance = _solve([*observed[:place], *observed[place + 1 :]], cores)
        units, workers = counted([one.job]), np.array([one.job.workers])
        predicted = phase_seconds(units, workers, cores, rest_logs)[0, -1]
        variance = _variance(units, workers, cores, rest_logs, rest_covariance)[0]
        errors.append(np.log(one.seconds["step"] / predicted))
        standard.append(errors[-1] ** 2 / (variance + one.spread["step"] ** 2))
    inflation = max(1.0, float(np.sqrt(np.mean(standard))))
    return Fitted(logs, covariance, inflation, cores, np.array(errors))


def _solve(observed: Sequence[ObservedJob], cores: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit the costs; return their logarithms and the covariance of these."""
    units = counted([one.job for one in observed])
    workers = np.array([one.job.workers for one in observed])
    names = (*PHASES, "step")
    times = np.array([[one.seconds.get(name, np.nan) for name in names] for one in observed])
    spreads = np.array([[one.spread.get(name, np.nan) for name in names] for one in observed])
    seen = np.isfinite(times) & (times > 0)
    tolerance = np.where(np.array(names) == "step", STEP_TOLERANCE, PHASE_TOLERANCE)
    weights = 1 / np.sqrt(spreads**2 + tolerance**2)
    centre = np.log([*USUAL.values(), *[FACTOR_USUAL] * len(FACTORS)])
    prior = np.array([COST_SPREAD] * len(COSTS) + [FACTOR_SPREAD] * len(FACTORS))

    def residuals(logs: np.ndarray) -> np.ndarray:
        predicted = phase_seconds(units, workers, cores, logs)
        with np.errstate(divide="ignore"):
            off = weights * np.log(times / predicted)
        return np.concatenate([off[seen], (logs - centre) / prior])

    found = least_squares(residuals, centre, method="lm")
    return found.x, np.linalg.inv(found.jac.T @ found.jac)


def _variance(
    units: np.ndarray,
    workers: np.ndarray,
    cores: float,
    logs: np.ndarray,
    covariance: np.ndarray,
) -> np.ndarray:
    """Return the variance of the logarithm of each step: the costs', and the form's own."""
    step = 1e-4
    slopes = np.empty((len(units), len(logs)))
    for place in range(len(logs)):
        change = np.zeros(len(logs))
        change[place] = step
        up, down = (phase_seconds(units, workers, cores, logs + s * change)[:, -1] for s in (1, -1))
        slopes[:, place] = np.log(up / down) / (2 * step)
    return np.einsum("ij,jk,ik->i", slopes, covariance, slopes) + STEP_TOLERANCE**2
