"""Machine parameters from observed step times, and how well they predict what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan
from amdahl_lab.cluster.step import step_time
from amdahl_lab.cluster.transformer import Transformer
from amdahl_lab.cluster.workload import Workload

MOST_PARAMETERS = 5


@dataclass(frozen=True)
class Observation:
    """One step time that was measured or published.

    Parameters
    ----------
    group : str
        What is left out together, such as the model's name.
    workload : Workload
        What was computed.
    plan : Plan
        Arranged how.
    seconds : float, above 0
        Seconds of the step.
    """

    group: str
    workload: Workload
    plan: Plan
    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds!r}")


@dataclass(frozen=True)
class Calibration:
    """A machine whose parameters were fitted.

    Parameters
    ----------
    machine : Machine
        The machine with the fitted parameters.
    parameters : mapping of str to float
        Their names and values.
    errors : array, shape (observations,)
        Predicted over observed, minus 1.
    at_bound : tuple of str
        Parameters that ended at 1: what they stand for is not known better than "at least".
    """

    machine: Machine
    parameters: Mapping[str, float]
    errors: np.ndarray
    at_bound: tuple[str, ...]


def calibrate(
    machine: Machine, observations: Sequence[Observation], parameters: Sequence[str]
) -> Calibration:
    """Fit machine parameters to step times by least squares of the relative errors.

    Parameters
    ----------
    machine : Machine
        Where the fit starts, and all that is not fitted.
    observations : sequence of Observation
        At least as many as parameters.
    parameters : sequence of str
        Names that `Machine.with_parameters` knows, at most five, each between 0 and 1.

    Returns
    -------
    Calibration
        The fitted machine.

    Raises
    ------
    ValueError
        If there are too many parameters or too few observations.
    """
    if not 1 <= len(parameters) <= min(MOST_PARAMETERS, len(observations)):
        raise ValueError(
            f"parameters must be 1 to {min(MOST_PARAMETERS, len(observations))} for "
            f"{len(observations)} observations, got {len(parameters)}"
        )

    def fitted(values: np.ndarray) -> Machine:
        return machine.with_parameters(**dict(zip(parameters, map(float, values), strict=True)))

    start = np.full(len(parameters), 0.6)
    solution = least_squares(
        lambda values: errors(fitted(values), observations),
        start,
        bounds=(0.02, 1.0),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    found = dict(zip(parameters, map(float, solution.x), strict=True))
    at_bound = tuple(name for name, value in found.items() if value > 0.999)
    best = fitted(solution.x)
    return Calibration(best, found, errors(best, observations), at_bound)


def errors(machine: Machine, observations: Sequence[Observation]) -> np.ndarray:
    """Return predicted over observed step time, minus 1, for each observation."""
    return np.array(
        [
            float(step_time(seen.workload, machine, seen.plan).total[0]) / seen.seconds - 1
            for seen in observations
        ]
    )


def leave_one_out(
    machine: Machine, observations: Sequence[Observation], parameters: Sequence[str]
) -> np.ndarray:
    """Errors of each group as predicted by a fit to the other groups.

    Parameters
    ----------
    machine, observations, parameters
        As for `calibrate`.

    Returns
    -------
    ndarray, shape (observations,)
        Predicted over observed, minus 1.

    Raises
    ------
    ValueError
        If what is left has fewer observations than there are parameters.
    """
    held_out = np.empty(len(observations))
    for group in dict.fromkeys(seen.group for seen in observations):
        out = np.array([seen.group == group for seen in observations])
        rest = [seen for seen, left in zip(observations, out, strict=True) if not left]
        trained = calibrate(machine, rest, parameters).machine
        left = [seen for seen, gone in zip(observations, out, strict=True) if gone]
        held_out[out] = errors(trained, left)
    return held_out


def published_step(row: Mapping[str, str]) -> Observation:
    """Return one row of the table of published step times as an observation."""
    size = {name: int(row[name]) for name in ("hidden", "layers", "heads", "sequence")}
    recompute, _, rest = row["recompute"].partition(" + ")
    plan = Plan(
        global_batch=int(row["global_batch"]),
        micro_batch=int(row["micro_batch"]),
        tensor=int(row["tensor_parallel"]),
        pipeline=int(row["pipeline_parallel"]),
        chunks=int(row["interleaved_chunks"]),
        recompute=recompute,
        sequence_parallel=rest == "sequence parallel",
    )
    workload = Transformer(vocabulary=int(row["vocabulary"]), **size)
    return Observation(row["model"], workload, plan, float(row["step_seconds"]))
