"""Hidden checks of the exercises on scaling resources. Stays with the teacher: never released.

Right answers are written out here once more, apart from `amdahl_lab.laws` and
`amdahl_lab.schedule`, so that a mistake there would show.
"""

from amdahl_lab.grading.items import Assignment

from . import checkpoints, deadlines, fans, resuming, scheduling

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_fan": (fans.RANGE, fans.REFUSED, fans.SPEEDUPS, fans.APART),
            "check_2_checkpoint": (
                checkpoints.FIRST_ORDER,
                checkpoints.EXACT,
                checkpoints.YOUNG,
                checkpoints.SEARCH,
            ),
            "check_3_schedule": (scheduling.SCHEDULING,),
            "check_4_resume": (resuming.RESUME,),
            "check_5_deadline": (
                deadlines.RUNNING,
                deadlines.WALL,
                deadlines.FASTEST,
                deadlines.CHEAPEST,
            ),
        },
        put_away=(
            "amdahl_lab.cluster",
            "amdahl_lab.fitting",
            "amdahl_lab.laws",
            "amdahl_lab.parallel.blocks",
            "amdahl_lab.parallel.growing",
            "amdahl_lab.schedule",
        ),
    )
}
