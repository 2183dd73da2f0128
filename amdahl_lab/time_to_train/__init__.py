"""Time to train, in the wild: samples to the target over throughput, each with its own limit.

`series` reads a table of numbers of workers with times, rates or both; `split` says how much of a
loss of efficiency is the machine's and how much the optimiser's; `ceilings` fits where each of
them stops; `guesses` judges laws by the largest N, which they have not seen; `ridge` shows which
laws the same few points allow; `reference` holds published samples to the target over the batch.
"""

from amdahl_lab.time_to_train.ceilings import (
    SamplesFit,
    StepFit,
    fit_half_efficiency_batch,
    fit_samples_to_target,
)
from amdahl_lab.time_to_train.guesses import BASELINES, LAWS, Guess, held_out_guesses
from amdahl_lab.time_to_train.reference import ReferencePoints, reference_points
from amdahl_lab.time_to_train.ridge import usl_ridge
from amdahl_lab.time_to_train.series import Series, published_series, read_series
from amdahl_lab.time_to_train.split import Split, split_of_loss

__all__ = [
    "BASELINES",
    "LAWS",
    "Guess",
    "ReferencePoints",
    "SamplesFit",
    "Series",
    "Split",
    "StepFit",
    "fit_half_efficiency_batch",
    "fit_samples_to_target",
    "held_out_guesses",
    "published_series",
    "read_series",
    "reference_points",
    "split_of_loss",
    "usl_ridge",
]
