"""From a measured run to a law's parameters, with intervals, or a refusal that says why.

`estimators` holds the five fits, `refitting` how estimate and interval are made, `rivals` the
laws as curves, `curves` least squares on log times, `observed` what is fitted, `comparison` the
laws side by side.
"""

from amdahl_lab.fitting.batches import BatchFit, fit_critical_batch
from amdahl_lab.fitting.comparison import HeldOut, fit_all, held_out_errors
from amdahl_lab.fitting.estimators import (
    FITS,
    fit_amdahl,
    fit_amdahl_with_communication,
    fit_constant_efficiency,
    fit_gustafson,
    fit_usl,
)
from amdahl_lab.fitting.fit import Fit, Noise, NotIdentifiedError
from amdahl_lab.fitting.observed import speedups
from amdahl_lab.fitting.planned import planned_study
from amdahl_lab.fitting.rivals import (
    amdahl_with_communication_speedup,
    constant_efficiency_speedup,
)

__all__ = [
    "FITS",
    "BatchFit",
    "Fit",
    "HeldOut",
    "Noise",
    "NotIdentifiedError",
    "amdahl_with_communication_speedup",
    "constant_efficiency_speedup",
    "fit_all",
    "fit_amdahl",
    "fit_amdahl_with_communication",
    "fit_constant_efficiency",
    "fit_critical_batch",
    "fit_gustafson",
    "fit_usl",
    "held_out_errors",
    "planned_study",
    "speedups",
]
