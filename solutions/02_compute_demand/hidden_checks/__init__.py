"""Hidden checks of the exercises on what deep learning computes. Stays with the teacher.

Every check draws its inputs from the teacher's seed. Right answers are written out here once
more, apart from `amdahl_lab.demand`, so that a mistake there would show.
"""

from amdahl_lab.grading.items import Assignment

from . import counts, equation, latency, pipeline, sweeps

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_layers": counts.LAYERS,
            "check_1_training": (counts.TRAINING,),
            "check_1_memory": (counts.MEMORY,),
            "check_2_exponent": (sweeps.ESTIMATE, sweeps.INTERVAL),
            "check_2_reading": (sweeps.READING,),
            "check_2_local": (sweeps.LOCAL,),
            "check_3_pieces": (pipeline.PIECES,),
            "check_3_prefetch": (pipeline.PREFETCH,),
            "check_3_report": (pipeline.REPORT,),
            "check_4_latency": (latency.TAIL, latency.LARGEST, latency.THROUGHPUT),
            "check_5_rule": (equation.RULE,),
            "check_5_statements": (equation.STATEMENTS,),
        },
        put_away=("amdahl_lab.demand",),
    )
}
