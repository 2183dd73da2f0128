"""Closed-form speedup laws: arrays in, arrays out.

Symbols are those of the book's notation page: N workers, s serial fraction, p = 1 - s parallel
fraction, S speedup. Every function broadcasts its arguments and returns a float for scalars.
"""

from amdahl_lab.laws.amdahl import (
    amdahl_limit,
    amdahl_speedup,
    efficiency,
    karp_flatt,
    knee,
    workers_for_efficiency,
    workers_for_speedup,
)
from amdahl_lab.laws.batch import batch_speedup, samples_to_target, steps_to_target
from amdahl_lab.laws.enhanced import (
    enhanced_limit,
    enhanced_speedup,
    factor_for_speedup,
    fraction_for_speedup,
)
from amdahl_lab.laws.multicore import (
    best_asymmetric_core,
    best_symmetric_core,
    hill_marty_asymmetric,
    hill_marty_dynamic,
    hill_marty_symmetric,
)
from amdahl_lab.laws.offload import break_even_side, break_even_transfer, offload_speedup
from amdahl_lab.laws.scaled import (
    fixed_serial_fraction,
    gustafson_speedup,
    gustafson_workers,
    scaled_serial_fraction,
    scaled_serial_fraction_from_speedup,
    sun_ni_speedup,
)
from amdahl_lab.laws.training import (
    best_batch,
    best_training_time,
    machine_efficiency,
    optimiser_efficiency,
    training_time,
)
from amdahl_lab.laws.unequal import balanced_split, even_split_loss
from amdahl_lab.laws.universal import usl_peak, usl_peak_speedup, usl_speedup

__all__ = [
    "amdahl_limit",
    "amdahl_speedup",
    "balanced_split",
    "batch_speedup",
    "best_asymmetric_core",
    "best_batch",
    "best_symmetric_core",
    "best_training_time",
    "break_even_side",
    "break_even_transfer",
    "efficiency",
    "enhanced_limit",
    "enhanced_speedup",
    "even_split_loss",
    "factor_for_speedup",
    "fixed_serial_fraction",
    "fraction_for_speedup",
    "gustafson_speedup",
    "gustafson_workers",
    "hill_marty_asymmetric",
    "hill_marty_dynamic",
    "hill_marty_symmetric",
    "karp_flatt",
    "knee",
    "machine_efficiency",
    "offload_speedup",
    "optimiser_efficiency",
    "samples_to_target",
    "scaled_serial_fraction",
    "scaled_serial_fraction_from_speedup",
    "steps_to_target",
    "sun_ni_speedup",
    "training_time",
    "usl_peak",
    "usl_peak_speedup",
    "usl_speedup",
    "workers_for_efficiency",
    "workers_for_speedup",
]
