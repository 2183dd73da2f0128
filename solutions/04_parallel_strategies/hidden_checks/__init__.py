"""Hidden checks of the exercises on parallel strategies, run outside the student's process."""

from amdahl_lab.grading.items import Assignment

from . import buckets, pipeline, plans, ring, split_layers

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_ring": (ring.RING,),
            "check_2_buckets": (buckets.BUCKETS,),
            "check_3_schedule": (pipeline.SCHEDULE,),
            "check_4_layers": (split_layers.SPLIT_LAYERS,),
            "check_5_plan": (plans.STATE, plans.EXPOSED, plans.STEP, plans.CHEAPEST),
        },
        put_away=(
            "amdahl_lab.cluster",
            "amdahl_lab.demand",
            "amdahl_lab.parallel.collectives",
            "amdahl_lab.parallel.shared_memory",
            "amdahl_lab.parallel.strategies",
            "amdahl_lab.schedule",
        ),
    )
}
