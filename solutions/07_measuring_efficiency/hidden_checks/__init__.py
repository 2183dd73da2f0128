"""Hidden checks of the exercises on measuring. Stays with the teacher: never released.

Every check draws its inputs from the teacher's seed, and knows the truth that they were drawn from.
"""

from amdahl_lab.grading.items import Assignment

from . import harness, mended, ranks, survival, what_if

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_compare": (harness.PROTOCOL, harness.HARNESS),
            "check_2_shares": (what_if.SHARES, what_if.MOST),
            "check_2_sets": (what_if.WHOLE, what_if.BEST_SET),
            "check_3_waiting": (survival.NOT_THERE_YET, survival.MEDIAN),
            "check_3_limits": (survival.RESTRICTED_MEAN, survival.BEST_STOP),
            "check_4_benchmark": (mended.MENDED,),
            "check_5_steps": (ranks.TIMED,),
            "check_5_report": (ranks.REPORT,),
        },
        put_away=(
            "amdahl_lab.deciding",
            "amdahl_lab.parallel.comparisons",
            "amdahl_lab.survival",
            "amdahl_lab.timing",
        ),
    )
}
