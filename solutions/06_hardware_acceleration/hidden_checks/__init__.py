"""Hidden checks of the exercises on hardware acceleration. Stays with the teacher: never released.

Every check draws its inputs from the teacher's seed. Right answers are written out here once
more, apart from `amdahl_lab.laws`, so that a mistake there would show.
"""

from amdahl_lab.grading.items import Assignment

from . import audit, chips, offload, shares, uneven_ranks, units

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_units": (units.CONVERTED, units.SHEET),
            "check_1_sentences": (units.IMPOSSIBLE,),
            "check_2_offload": (offload.SECONDS, offload.LEAST_ITEMS),
            "check_2_whole": (offload.CALLS, offload.WHOLE),
            "check_3_chips": (chips.SPEEDUP, chips.BEST_CORE, chips.MIX),
            "check_4_split": (shares.SPLIT,),
            "check_4_train": (uneven_ranks.TRAIN,),
            "check_5_audit": (audit.MISSING, audit.PART_BOUND),
            "check_5_verdict": (audit.WHOLE_BOUND, audit.VERDICT),
        },
        put_away=(
            "amdahl_lab.bounds",
            "amdahl_lab.cluster",
            "amdahl_lab.demand",
            "amdahl_lab.laws",
            "amdahl_lab.parallel.acceleration",
            "amdahl_lab.parallel.collectives",
            "amdahl_lab.parallel.strategies",
            "amdahl_lab.quantities",
            "amdahl_lab.schedule",
        ),
    )
}
