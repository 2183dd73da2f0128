"""Rounds of one job beside a reference, and its typical time at a usual speed of the machine.

A shared machine is now faster, now slower. The reference, timed just before and after each row of
steps, tells how fast it was. A time over the reference's own, times the usual time of the
reference, is what the job would have taken had the machine run as usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from amdahl_lab.prediction.jobs import Job
from amdahl_lab.prediction.model import Observed

STEP = "step"


@dataclass(frozen=True)
class Measured:
    """One job's rounds.

    Parameters
    ----------
    job : Job
        What was run.
    seconds : mapping of str to tuple of float, length rounds
        Seconds per step of "step" and of phases, in the order of the rounds.
    looks : tuple of float, length rounds
        Seconds of the reference's step in the same rounds.
    """

    job: Job
    seconds: Mapping[str, tuple[float, ...]]
    looks: tuple[float, ...]

    def __post_init__(self) -> None:
        columns = {name: tuple(map(float, values)) for name, values in self.seconds.items()}
        object.__setattr__(self, "seconds", MappingProxyType(columns))
        object.__setattr__(self, "looks", tuple(map(float, self.looks)))
        if STEP not in columns:
            raise ValueError(f"seconds must hold {STEP!r}, got {sorted(columns)}")
        for name, values in {**columns, "looks": self.looks}.items():
            if len(values) != len(self.looks) or not all(0 < each < np.inf for each in values):
                raise ValueError(
                    f"{name} must hold {len(self.looks)} finite times above 0, got {values}"
                )

    def as_dict(self) -> dict:
        """Return plain data, for a file."""
        seconds = {name: list(values) for name, values in self.seconds.items()}
        return {"job": self.job.as_dict(), "seconds": seconds, "looks": list(self.looks)}

    @classmethod
    def from_dict(cls, content: Mapping) -> "Measured":
        """Read plain data back."""
        return cls(Job(**content["job"]), content["seconds"], tuple(content["looks"]))


def usual_looks(runs: Sequence[Measured]) -> dict[int, float]:
    """Return the typical (geometric mean) time of the reference for each number of workers."""
    looks: dict[int, list[float]] = {}
    for run in runs:
        looks.setdefault(run.job.workers, []).extend(run.looks)
    return {workers: float(np.exp(np.log(each).mean())) for workers, each in looks.items()}


def at_usual_speed(run: Measured, usual: Mapping[int, float]) -> Observed:
    """Return the typical time of each phase, as if the reference had taken its usual time.

    Parameters
    ----------
    run : Measured
        At least two rounds.
    usual : mapping of int to float
        Usual seconds of the reference for each number of workers: see `usual_looks`.

    Returns
    -------
    Observed
        Geometric means over the rounds, with their standard errors.
    """
    mood = np.log(run.looks) - np.log(usual[run.job.workers])
    return _observed(run, mood)


def as_it_was(run: Measured) -> Observed:
    """Return the typical time of each phase as the clock showed it."""
    return _observed(run, np.zeros(len(run.looks)))


def _observed(run: Measured, mood: np.ndarray) -> Observed:
    rounds = len(mood)
    if rounds < 2:
        raise ValueError(f"run must have at least 2 rounds, got {rounds}")
    logs = {name: np.log(values) - mood for name, values in run.seconds.items()}
    return Observed(
        run.job,
        {name: float(np.exp(each.mean())) for name, each in logs.items()},
        {name: float(each.std(ddof=1) / np.sqrt(rounds)) for name, each in logs.items()},
    )
