"""Predict, then run: step times of jobs on this machine, from a few calibration runs.

A job is counted (calls, FLOPs, bytes, messages), a few runs tell what each costs, and the sum is
the prediction. It is frozen before the job is run, and scored after it.
"""

from amdahl_lab.prediction.frozen import Predicted, Score, freeze, score, thaw
from amdahl_lab.prediction.jobs import Job
from amdahl_lab.prediction.measured import Measured, as_it_was, at_usual_speed, usual_looks
from amdahl_lab.prediction.model import Fitted, ObservedJob, fit
from amdahl_lab.prediction.rivals import Rival, fit_rivals

__all__ = [
    "Fitted",
    "Job",
    "Measured",
    "ObservedJob",
    "Predicted",
    "Rival",
    "Score",
    "as_it_was",
    "at_usual_speed",
    "fit",
    "fit_rivals",
    "freeze",
    "score",
    "thaw",
    "usual_looks",
]
