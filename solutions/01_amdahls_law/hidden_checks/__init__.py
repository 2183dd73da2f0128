"""Hidden checks of the exercises on Amdahl's law. Stays with the teacher: never released.

Every check draws its inputs from the teacher's seed. Right answers are written out here once
more, apart from `amdahl_lab.laws`, so that a mistake there would show.
"""

from amdahl_lab.grading.items import Assignment

from . import inverses, own_tests, price, real_run, scaled

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_speedup": inverses.SPEEDUP,
            "check_1_inverses": (inverses.SERIAL_FRACTION, inverses.WORKERS_NEEDED),
            "check_2_tests": (own_tests.WRITE_THE_TESTS,),
            "check_3_average": real_run.REAL_RUN,
            "check_3_measure": (real_run.PROTOCOL, real_run.INTERVAL),
            "check_3_report": (real_run.REPORT,),
            "check_4_price": (price.COST, price.CHEAPEST_WORKERS, price.CHEAPEST_IN_TIME),
            "check_5_convert": (scaled.TO_SCALED, scaled.TO_FIXED),
            "check_5_statements": (scaled.STATEMENTS,),
        },
        put_away=("amdahl_lab.laws",),
    )
}
