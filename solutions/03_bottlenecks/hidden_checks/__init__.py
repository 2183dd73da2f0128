"""Hidden checks of the exercises on bottlenecks. Stays with the teacher: never released.

Every check draws its inputs from the teacher's seed. Right answers are written out here once
more, apart from `amdahl_lab.demand` and `amdahl_lab.communication`, so that a mistake there would
show.
"""

from amdahl_lab.grading.items import Assignment

from . import bounds, compression, links, mending, stragglers

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_bounds": (bounds.RATE, bounds.LEAST_BATCH),
            "check_1_memory": (bounds.MEMORY_BOUND,),
            "check_1_gain": (bounds.GAIN,),
            "check_2_ring": (links.RING,),
            "check_2_fit": (links.LATENCY, links.INVERSE_BANDWIDTH),
            "check_3_stragglers": (stragglers.STEP, stragglers.SLOW_STEP, stragglers.WAYS_OUT),
            "check_4_train": (mending.MENDED,),
            "check_5_bytes": (compression.BYTES,),
            "check_5_pays": (compression.SAVED, compression.BREAK_EVEN),
            "check_5_statements": (compression.STATEMENTS,),
        },
        put_away=(
            "amdahl_lab.communication",
            "amdahl_lab.fitting_communication",
            "amdahl_lab.demand",
        ),
    )
}
