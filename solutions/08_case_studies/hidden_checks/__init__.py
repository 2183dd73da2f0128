"""Hidden checks of the exercises on case studies, run outside the student's process."""

from amdahl_lab.grading.items import Assignment

from . import audit, laws, ridge, split, tables

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_law": (laws.FIT, laws.BOUND, laws.HELD_OUT, laws.ERRORS),
            "check_2_split": (split.FACTORS, split.SHARE, split.TURNING, split.BATCH),
            "check_3_tables": (tables.TABLES,),
            "check_4_audit": (audit.MISSING, audit.MISCOUNTED, audit.UNFAIR, audit.UNSUPPORTED),
            "check_5_ridge": (ridge.MISFIT, ridge.ALLOWED, ridge.GUESSES, ridge.CHANCE),
        },
        put_away=(
            "amdahl_lab.diary_score",
            "amdahl_lab.fitting",
            "amdahl_lab.parallel.case_studies",
            "amdahl_lab.parallel.strategies",
            "amdahl_lab.reporting",
            "amdahl_lab.time_to_train",
        ),
    )
}
