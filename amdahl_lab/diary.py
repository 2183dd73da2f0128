"""The prediction diary: numbers guessed before they are measured, kept in a local file.

The file is ``diary.json`` in the folder that the environment variable AMDAHL_LAB_HOME names, or in
``.amdahl_lab`` in the home folder. Nothing is sent anywhere.
"""

import math
import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from amdahl_lab.storage import read_json, write_json

FORMAT = "amdahl_lab.diary"
VERSION = 1


@dataclass(frozen=True)
class Prediction:
    """A range guessed for one question and, once it is known, what came out.

    Parameters
    ----------
    question : str
        Name of the question, such as "ch01.speedup_at_2".
    low, high : float
        The range that the answer should fall into.
    confidence : float, inside 0 to 1
        How sure the reader is of the range.
    made : str
        When, ISO 8601, UTC.
    outcome : float, optional
        What was measured.
    """

    question: str
    low: float
    high: float
    confidence: float
    made: str
    outcome: float | None = None

    def __post_init__(self) -> None:
        if not self.question:
            raise ValueError("question must be a name, got an empty one")
        if not (self.low <= self.high and math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(
                f"low and high must be finite and in this order, got {self.low!r}, {self.high!r}"
            )
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must be inside 0 to 1, got {self.confidence!r}")

    @property
    def hit(self) -> bool | None:
        """Whether the outcome fell into the range; None as long as it is not known."""
        return None if self.outcome is None else self.low <= self.outcome <= self.high

    def __str__(self) -> str:
        text = f"{self.question}: {self.low:g} to {self.high:g}, {self.confidence:.0%} sure"
        if self.outcome is None:
            return f"{text}; not measured yet"
        return f"{text}; it came out at {self.outcome:.3g}, {'inside' if self.hit else 'outside'}"


def path() -> Path:
    """Return the file that holds the diary."""
    home = os.environ.get("AMDAHL_LAB_HOME")
    return (Path(home) if home else Path.home() / ".amdahl_lab") / "diary.json"


def predictions() -> dict[str, Prediction]:
    """Return all predictions by question, in the order in which they were made.

    Raises
    ------
    ValueError
        If the file is cut short or is not a diary; it is left as it is.
    """
    try:
        entries = read_json(path(), FORMAT, VERSION)["predictions"]
    except FileNotFoundError:
        return {}
    try:
        return {entry["question"]: Prediction(**entry) for entry in entries}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path().name} is not a valid diary: {error}") from error


def predict(
    question: str, low: float = ..., high: float = ..., confidence: float = 0.8
) -> Prediction | None:
    """Write a prediction into the diary. Before the outcome is known it may be changed.

    Parameters
    ----------
    question : str
        Name of the question.
    low, high : float
        The range that the answer should fall into. Dots, as a lab has them in its place, write
        nothing.
    confidence : float, inside 0 to 1
        How sure you are of it.

    Returns
    -------
    Prediction or None
        What the diary holds now: once there is an outcome, the prediction that it was made for.

    Raises
    ------
    ValueError
        If the range or the confidence is not one.
    """
    if low is ... or high is ...:
        return predictions().get(question)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    prediction = Prediction(question, low, high, confidence, made)
    known = predictions()
    if question in known and known[question].outcome is not None:
        return known[question]
    _write(known | {question: prediction})
    return prediction


def record_outcome(question: str, outcome: float) -> Prediction | None:
    """Write what came out beside its prediction. The first outcome stands.

    Parameters
    ----------
    question : str
        Name of the question.
    outcome : float, finite
        What was measured.

    Returns
    -------
    Prediction or None
        The prediction with its outcome; None where nothing was predicted.

    Raises
    ------
    ValueError
        If the outcome is not finite.
    """
    if not math.isfinite(outcome):
        raise ValueError(f"outcome must be finite, got {outcome!r}")
    known = predictions()
    if question not in known:
        return None
    if known[question].outcome is None:
        known[question] = replace(known[question], outcome=float(outcome))
        _write(known)
    return known[question]


def _write(known: dict[str, Prediction]) -> None:
    entries = [asdict(prediction) for prediction in known.values()]
    write_json(path(), {"format": FORMAT, "version": VERSION, "predictions": entries})
