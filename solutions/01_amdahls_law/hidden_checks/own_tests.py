"""Exercise 2: write the tests."""

import numpy as np

from amdahl_lab.grading.items import Item
from amdahl_lab.grading.judging import TestsCheck, WrongLaws

from .laws import outline_factor, outline_speedup, outline_time, speedup


def _as_sum_of_times(workers, s):
    serial, parallel = 3.0 * s, 3.0 * (1 - s)
    return 3.0 / (serial + parallel / workers)


def _through_logarithms(workers, s):
    return np.exp(np.log(workers) - np.log1p(s * (workers - 1)))


def _square_root(workers, s):
    return 1 / (s + (1 - s) / np.sqrt(workers))


def _overshooting(workers, s):
    """Right at one worker, in the limit and without serial work; above the limit in between."""
    way = (workers - 1) / (workers + 100)
    return speedup(workers, s) * (1 + np.minimum(1, 20 * s) * (1 - s) * 3 * way * (1 - way))


def _gustafson(workers, s):
    return workers - s * (workers - 1)


def _exchanged(workers, s):
    return 1 / ((1 - s) + s / workers)


WRITE_THE_TESTS = TestsCheck(
    "passes",
    right={
        "your test rejects Amdahl's law itself": speedup,
        "your test rejects a right law that is written in another way: results of floating-point "
        "numbers differ in the last digits, so compare within a small tolerance": _as_sum_of_times,
        "your test rejects a right law whose values carry a little rounding: compare within a "
        "small relative tolerance, such as 1e-6": _through_logarithms,
    },
    wrong=(
        WrongLaws(
            Item("tests_one_worker", 1, "rejects laws that are wrong at one worker"),
            (outline_time, outline_speedup),
            "a wrong law passes that gives one worker a speedup other than 1; is your check made "
            "at several s?",
        ),
        WrongLaws(
            Item("tests_limit", 1, "rejects laws with a wrong limit"),
            (_gustafson, _exchanged),
            "a wrong law passes whose speedup for very many workers is not 1/s; is your check "
            "made at an s other than 0.5?",
        ),
        WrongLaws(
            Item("tests_never_falls", 1, "rejects laws that fall"),
            (outline_factor, _overshooting),
            "a wrong law passes whose speedup falls when workers are added; do your N go far "
            "enough?",
        ),
        WrongLaws(
            Item("tests_fourth", 1, "rejects a law that passes all three checks"),
            (_square_root,),
            "a wrong law passes that is 1 at one worker, tends to 1/s and never falls; what must "
            "N workers reach when nothing is serial?",
        ),
    ),
)
