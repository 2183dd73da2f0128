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
from amdahl_lab.prediction.model import ObservedJob

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


def at_usual_speed(runs: Sequence[Measured], usual: Mapping[int, float]) -> list[ObservedJob]:
    """Return the typical times of each run, as if the reference had taken its usual time.

    The two looks beside a row of steps say most about the machine in that moment, but they are
    short; all looks of the round are steadier. The speed of the machine is taken halfway between.

    Parameters
    ----------
    runs : sequence of Measured
        All that was measured together, in at least two rounds.
    usual : mapping of int to float
        Usual seconds of the reference for each number of workers: see `usual_looks`. Where there
        are none, because so many workers were not calibrated, the looks beside the largest number
        that was calibrated tell the speed.

    Returns
    -------
    list of ObservedJob
        Geometric means over the rounds, with their standard errors.
    """
    whole_rounds = {
        N: np.mean([np.log(run.looks) for run in runs if run.job.workers == N], axis=0)
        - np.log(own)
        for N, own in usual.items()
        if any(run.job.workers == N for run in runs)
    }
    moods = []
    for run in runs:
        N = run.job.workers
        if N in whole_rounds:
            own = np.log(run.looks) - np.log(usual[N])
            moods.append((own + whole_rounds[N]) / 2)
        else:
            moods.append(whole_rounds[max(whole_rounds)])
    return [_observed(run, mood) for run, mood in zip(runs, moods, strict=True)]


def as_it_was(run: Measured) -> ObservedJob:
    """Return the typical time of each phase as the clock showed it."""
    return _observed(run, np.zeros(len(run.looks)))


def _observed(run: Measured, mood: np.ndarray) -> ObservedJob:
    rounds = len(mood)
    if rounds < 2:
        raise ValueError(f"run must have at least 2 rounds, got {rounds}")
    logs = {name: np.log(values) - mood for name, values in run.seconds.items()}
    return ObservedJob(
        run.job,
        {name: float(np.exp(each.mean())) for name, each in logs.items()},
        {name: float(each.std(ddof=1) / np.sqrt(rounds)) for name, each in logs.items()},
    )
