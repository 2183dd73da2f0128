"""Predictions written down before the run, so that nobody can change them after it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from amdahl_lab.prediction.jobs import Job
from amdahl_lab.storage import read_json, write_json

FORMAT, VERSION = "amdahl_lab.prediction", 1


@dataclass(frozen=True)
class Predicted:
    """What several predictors say about the same jobs.

    Parameters
    ----------
    jobs : tuple of Job
        What will be run.
    usual : mapping of int to float
        Seconds of the reference at which the times are meant, for each number of workers.
    seconds, half : mapping of str to tuple of float, length jobs
        For each predictor the times, and the half widths of the 95% interval of their logarithm.
    """

    jobs: tuple[Job, ...]
    usual: Mapping[int, float]
    seconds: Mapping[str, tuple[float, ...]]
    half: Mapping[str, tuple[float, ...]]

    def as_dict(self) -> dict:
        """Return plain data, for a file."""
        return {
            "jobs": [job.as_dict() for job in self.jobs],
            "usual": {str(workers): seconds for workers, seconds in self.usual.items()},
            "seconds": {name: list(values) for name, values in self.seconds.items()},
            "half": {name: list(values) for name, values in self.half.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping) -> "Predicted":
        """Read plain data back."""
        return cls(
            tuple(Job(**each) for each in content["jobs"]),
            {int(workers): seconds for workers, seconds in content["usual"].items()},
            {name: tuple(values) for name, values in content["seconds"].items()},
            {name: tuple(values) for name, values in content["half"].items()},
        )


def freeze(predicted: Predicted, path: Path) -> str:
    """Write predictions to a new file, with the time and a hash of all that is predicted.

    Returns
    -------
    str
        The SHA-256 of the predictions.

    Raises
    ------
    ValueError
        If the file is there already: what is frozen stays.
    """
    if path.exists():
        raise ValueError(f"path must be a new file, got {path.name}, which holds predictions")
    content = predicted.as_dict()
    digest = hash_of(content)
    frozen = {
        "format": FORMAT,
        "version": VERSION,
        "frozen": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": digest,
        "predictions": content,
    }
    write_json(path, frozen)
    return digest


def thaw(path: Path) -> tuple[Predicted, str, str]:
    """Read frozen predictions.

    Returns
    -------
    predicted : Predicted
    frozen, sha256 : str
        When they were frozen, and their hash.

    Raises
    ------
    ValueError
        If the predictions are not those that were hashed.
    """
    content = read_json(path, FORMAT, VERSION)
    if hash_of(content["predictions"]) != content["sha256"]:
        raise ValueError(f"{path.name} was changed after it was frozen: its hash does not match")
    return Predicted.from_dict(content["predictions"]), content["frozen"], content["sha256"]


def hash_of(content: Mapping) -> str:
    """Return the SHA-256 of plain data, written in one way only."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Score:
    """How far predictions were off.

    Parameters
    ----------
    median, worst_of_twenty : float
        Median and 95th percentile of the absolute relative error, over the observed time.
    coverage : float
        Share of the observed times inside their 95% interval.
    width : float
        Typical (median) half width of the intervals, as a factor minus 1.
    """

    median: float
    worst_of_twenty: float
    coverage: float
    width: float


def score(seconds: Sequence[float], half: Sequence[float], observed: Sequence[float]) -> Score:
    """Hold predictions against what was observed.

    Parameters
    ----------
    seconds, half, observed : sequence of float, shape (jobs,)
        Predicted times, half widths of the 95% interval of their logarithm, observed times.

    Returns
    -------
    Score
        The errors and the coverage.
    """
    seconds, half, observed = (np.asarray(each, dtype=float) for each in (seconds, half, observed))
    error = np.abs(seconds / observed - 1)
    inside = np.abs(np.log(observed / seconds)) <= half
    return Score(
        float(np.median(error)),
        float(np.quantile(error, 0.95)),
        float(inside.mean()),
        float(np.expm1(np.median(half))),
    )
