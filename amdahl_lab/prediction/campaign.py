"""One campaign: calibration runs, frozen predictions, and what was then run, each in its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from amdahl_lab.prediction.frozen import Predicted, Score, score
from amdahl_lab.prediction.jobs import Job
from amdahl_lab.prediction.measured import STEP, Measured, as_it_was, at_usual_speed, usual_looks
from amdahl_lab.prediction.model import Fitted, fit
from amdahl_lab.prediction.rivals import fit_rivals
from amdahl_lab.records import Machine
from amdahl_lab.storage import read_json, write_json

FORMAT, VERSION = "amdahl_lab.measured_jobs", 1
MODEL = "cluster model"


@dataclass(frozen=True)
class Series:
    """Jobs that were measured together.

    Parameters
    ----------
    runs : tuple of Measured
        The jobs and their rounds.
    machine : Machine
        Where they ran.
    started : str
        Start, ISO 8601, UTC.
    seconds : float
        How long all of it took.
    load_before, load_after : float
        Load average of the machine, before and after.
    """

    runs: tuple[Measured, ...]
    machine: Machine
    started: str
    seconds: float
    load_before: float
    load_after: float

    def save(self, path: Path) -> None:
        """Write the series to a file, whole or not at all."""
        machine = {each.name: getattr(self.machine, each.name) for each in fields(Machine)}
        content = {
            "format": FORMAT,
            "version": VERSION,
            "started": self.started,
            "seconds": self.seconds,
            "load_before": self.load_before,
            "load_after": self.load_after,
            "machine": machine | {"versions": dict(self.machine.versions)},
            "runs": [run.as_dict() for run in self.runs],
        }
        write_json(path, content)

    @classmethod
    def load(cls, path: Path) -> "Series":
        """Read a series; raises ValueError if the file holds none."""
        content = read_json(path, FORMAT, VERSION)
        content["runs"] = tuple(Measured.from_dict(each) for each in content["runs"])
        content["machine"] = Machine(**content["machine"])
        return cls(**content)


def fitted(calibration: Series) -> Fitted:
    """Fit the costs of the machine that a series of calibration runs was taken on."""
    observed = at_usual_speed(calibration.runs, usual_looks(calibration.runs))
    return fit(observed, calibration.machine.cores_usable)


def predict_jobs(
    calibration: Sequence[Measured], jobs: Sequence[Job], rounds: int, cores: float = 2
) -> Predicted:
    """Predict jobs from calibration runs, by the cluster model and by its rivals.

    Parameters
    ----------
    calibration : sequence of Measured
        The calibration runs.
    jobs : sequence of Job
        What to predict.
    rounds : int, at least 1
        Rounds in which each will be measured: their noise belongs to the interval.
    cores : float, above 0
        Cores of the machine that may be used.

    Returns
    -------
    Predicted
        Times at the calibration's usual speed.
    """
    usual = usual_looks(calibration)
    observed = at_usual_speed(calibration, usual)
    one_round = [
        each.spread[STEP] * np.sqrt(len(run.looks))
        for each, run in zip(observed, calibration, strict=True)
    ]
    noise = float(np.sqrt(np.mean(np.square(one_round)) / rounds))
    found = {MODEL: fit(observed, cores).predict(jobs, noise)}
    found |= {law: rival.predict(jobs) for law, rival in fit_rivals(observed).items()}
    return Predicted(
        tuple(jobs),
        usual,
        {name: tuple(map(float, seconds)) for name, (seconds, _) in found.items()},
        {name: tuple(map(float, half)) for name, (_, half) in found.items()},
    )


def outcomes(
    predicted: Predicted, runs: Sequence[Measured], *, usual_speed: bool = True
) -> np.ndarray:
    """Return the step times of what was predicted, in its order.

    Parameters
    ----------
    predicted : Predicted
        The predictions.
    runs : sequence of Measured
        All that was measured together, in any order.
    usual_speed : bool
        At the usual speed that the predictions are meant for; False for the times as they were.

    Returns
    -------
    ndarray, shape (jobs,)
        Seconds.

    Raises
    ------
    ValueError
        If a predicted job was not run.
    """
    typical = at_usual_speed(runs, predicted.usual) if usual_speed else map(as_it_was, runs)
    found = {each.job: each.seconds[STEP] for each in typical}
    missing = [job for job in predicted.jobs if job not in found]
    if missing:
        raise ValueError(f"runs must hold every predicted job, got none of {missing[0]}")
    return np.array([found[job] for job in predicted.jobs])


def scores(predicted: Predicted, observed: np.ndarray) -> Mapping[str, Score]:
    """Return each predictor's score."""
    return {
        name: score(seconds, predicted.half[name], observed)
        for name, seconds in predicted.seconds.items()
    }
