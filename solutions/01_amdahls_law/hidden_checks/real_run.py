"""Exercise 3: a real run."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception
from amdahl_lab.grading.measuring import ProtocolCheck, ReportCheck, serial_fraction_interval
from amdahl_lab.grading.training import AveragingCheck

REAL_RUN = (
    AveragingCheck(
        "average_gradients",
        equal=Item("average_equal", 1, "same parameters as one worker, equal shards"),
        unequal=Item("average_unequal", 1, "same parameters as one worker, unequal shards"),
        traffic=Item("average_traffic", 1, "one message a step, and no more bytes than it takes"),
    ),
)
PROTOCOL = ProtocolCheck(
    Item("measure_protocol", 1, "rounds interleaved, in random order"), "measure"
)


def _times(rng):
    cases = []
    for rounds in (5, 6, 9):
        drift = np.exp(rng.normal(0, 0.2, size=rounds))
        one = 0.02 * drift * np.exp(rng.normal(0, 0.02, size=rounds))
        two = 0.02 * rng.uniform(0.55, 0.75) * drift * np.exp(rng.normal(0, 0.02, size=rounds))
        cases.append((one, two))
    return cases


def _with_ends_of_speedup(one, two):
    estimate, low, high = serial_fraction_interval(one, two)
    return [estimate, high, low]


def _speedup_interval(one, two):
    return [2 / (1 + s) for s in _with_ends_of_speedup(one, two)]


INTERVAL = FunctionCheck(
    Item("s_interval", 1, "s with its interval"),
    "serial_fraction_interval",
    _times,
    serial_fraction_interval,
    (
        Misconception(
            "the ends are exchanged: the low end of s belongs to the high end of the speedup",
            _with_ends_of_speedup,
        ),
        Misconception(
            "this is the interval of the speedup; turn it into one of s", _speedup_interval
        ),
        Misconception(
            "the speedup is T(1) / T(2); this is upside down",
            lambda one, two: serial_fraction_interval(two, one),
        ),
        Misconception(
            "the speedup is T(1) / T(2); this is upside down",
            lambda one, two: _with_ends_of_speedup(two, one),
        ),
    ),
    otherwise="use the ratio of the two times in each round: what a round does to both cancels",
)
# The network and the steps of one block, as the notebook states them.
PARAMETERS = 64 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10
STEPS = 10
REPORT = ReportCheck(
    Item("report", 1, "a report of a run that took place"),
    "report",
    measured_in="answer_3_report",
    least_rounds=5,
    steps=STEPS,
    least_bytes_per_round=0.9 * STEPS * 2 * 4 * PARAMETERS,
)
