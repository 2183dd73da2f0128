"""Hidden checks of the exercises on Amdahl's law. Stays with the teacher: never released.

Every check draws its inputs from the teacher's seed. Right answers are written out here once
more, apart from `amdahl_lab.laws`, so that a mistake there would show.
"""

import math

import numpy as np

from amdahl_lab.grading.items import Assignment, ChoiceCheck, FunctionCheck, Item, Misconception
from amdahl_lab.grading.judging import TestsCheck, WrongLaws
from amdahl_lab.grading.training import (
    AveragingCheck,
    ProtocolCheck,
    ReportCheck,
    serial_fraction_interval,
)

# 1 The law and its inverses -----------------------------------------------------------------------


def speedup(workers, serial_fraction):
    return workers / (1 + serial_fraction * (workers - 1))


def serial_fraction(measured, workers):
    return (workers / measured - 1) / (workers - 1)


def workers_needed(target, serial):
    if target == 1:
        return 1.0
    return target * (1 - serial) / (1 - target * serial) if target * serial < 1 else math.inf


def _outline_time(workers, s):
    """Speedup from the outline's run time U / (P f) + I, with f = U / (U + I)."""
    return 1 / (1 / workers + s)


def _outline_speedup(workers, s):
    f = 1 - s
    return (1 / f) / (1 + s / (workers * f * f))


def _outline_factor(workers, s):
    return 1 / (1 - s / workers)


def _numbers(rng):
    some = [(float(rng.integers(2, 200)), float(rng.uniform(0.02, 0.45))) for _ in range(4)]
    edges = [(1.0, float(rng.uniform(0.1, 0.9))), (8.0, 0.0), (8.0, 1.0)]
    return [*some, *edges]


def _arrays(rng):
    row = rng.integers(2, 100, size=5).astype(float)
    column = rng.uniform(0.02, 0.45, size=(3, 1))
    return [(row, float(column[0, 0])), (16.0, column[:, 0]), (row, column)]


WRONG_SPEEDUPS = (
    Misconception(
        "s is the share that stays serial; the share that is divided among the workers is 1 - s",
        lambda n, s: 1 / ((1 - s) + s / n),
    ),
    Misconception(
        "this is Gustafson's law, where the work grows with the workers; here the work is fixed",
        lambda n, s: n - s * (n - 1),
    ),
    Misconception(
        "the time is not the sum of its two parts: at one worker it should be 1 for every s",
        _outline_time,
    ),
    Misconception("this is the outline's formula; try it with one worker", _outline_speedup),
    Misconception("this is the outline's formula; try it with one worker", _outline_factor),
    Misconception(
        "this is the time T(N) / T(1), and the speedup is T(1) / T(N)",
        lambda n, s: s + (1 - s) / n,
    ),
    Misconception(
        "this is the efficiency S / N; the speedup itself is asked for",
        lambda n, s: 1 / (1 + s * (n - 1)),
    ),
)

EXERCISE_1 = (
    FunctionCheck(
        Item("speedup_numbers", 1, "speedup of numbers"),
        "speedup",
        _numbers,
        speedup,
        WRONG_SPEEDUPS,
    ),
    FunctionCheck(
        Item("speedup_arrays", 1, "speedup of arrays"),
        "speedup",
        _arrays,
        speedup,
        WRONG_SPEEDUPS,
    ),
)


def _measured(rng):
    cases = []
    for _ in range(5):
        workers = float(rng.integers(2, 64))
        cases.append((float(rng.uniform(1.1, 0.95 * workers)), workers))
    # Better than linear, and slower than one worker: both happen, and both are reported.
    return [*cases, (4.0 * float(rng.uniform(1.05, 1.3)), 4.0), (float(rng.uniform(0.5, 0.9)), 2.0)]


def _clipped(measured, workers):
    return min(max(serial_fraction(measured, workers), 0.0), 1.0)


SERIAL_FRACTION = FunctionCheck(
    Item("serial_fraction", 1, "serial fraction from a speedup"),
    "serial_fraction",
    _measured,
    serial_fraction,
    (
        Misconception(
            "this is the parallel fraction; the serial one is what is left of 1",
            lambda S, n: 1 - serial_fraction(S, n),
        ),
        Misconception(
            "1 - S/N is the efficiency that was lost, which grows with N at the same s; "
            "solve the law for s",
            lambda S, n: 1 - S / n,
        ),
        Misconception(
            "do not clip: a measured speedup above N gives s below 0, and that is worth knowing",
            _clipped,
        ),
        Misconception(
            "1/S is s only for endlessly many workers; yours are finite",
            lambda S, n: 1 / S,
        ),
        Misconception(
            "nearly: 1/S - 1/N still has to be divided by 1 - 1/N, so that S = 1 gives s = 1",
            lambda S, n: 1 / S - 1 / n,
        ),
    ),
)


def _targets(rng):
    cases = []
    for _ in range(4):
        s = float(rng.uniform(0.01, 0.2))
        cases.append((float(rng.uniform(1.5, 0.9 / s)), s))
    out_of_reach = float(rng.uniform(0.1, 0.3))
    return [*cases, (1.0, 0.25), (1.2 / out_of_reach, out_of_reach), (4.0, 0.25), (20.0, 0.0)]


def _unguarded(target, s):
    return target * (1 - s) / (1 - target * s)


WORKERS_NEEDED = FunctionCheck(
    Item("workers_needed", 1, "workers for a target speedup"),
    "workers_needed",
    _targets,
    workers_needed,
    (
        Misconception(
            "a target at or above the limit 1/s is never reached: the answer is inf",
            _unguarded,
        ),
        Misconception(
            "a target at or above the limit 1/s is never reached: the answer is inf",
            lambda S, s: _unguarded(S, s) if S * s != 1 else math.inf,
        ),
        Misconception(
            "at the limit itself too: S = 1/s is approached and never reached",
            lambda S, s: _unguarded(S, s) if S * s <= 1 else math.inf,
        ),
        Misconception(
            "leave the number as it comes, not rounded to whole workers",
            lambda S, s: np.ceil(workers_needed(S, s)),
        ),
        Misconception(
            "without a serial part N = S, but with one it takes more",
            lambda S, s: S if S * s < 1 else math.inf,
        ),
    ),
)

# 2 Write the tests --------------------------------------------------------------------------------


def _as_sum_of_times(workers, s):
    serial, parallel = 3.0 * s, 3.0 * (1 - s)
    return 3.0 / (serial + parallel / workers)


def _through_logarithms(workers, s):
    return np.exp(np.log(workers) - np.log1p(s * (workers - 1)))


def _square_root(workers, s):
    return 1 / (s + (1 - s) / np.sqrt(workers))


def _overshooting(workers, s):
    """Right at one worker and in the limit, and above the limit in between."""
    way = (workers - 1) / (workers + 30)
    return speedup(workers, s) * (1 + 2 * way * (1 - way))


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
            (_outline_time, _outline_speedup),
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
            (_outline_factor, _overshooting),
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

# 3 A real run -------------------------------------------------------------------------------------

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
PARAMETERS = 64 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10
STEPS = 10
REPORT = ReportCheck(
    Item("report", 1, "a report of a run that took place"),
    "report",
    measured_in="answer_3_report",
    least_rounds=5,
    steps=STEPS,
    least_bytes_per_round=0.9 * STEPS * 2 * 4 * PARAMETERS,
)

# 4 The cheapest N under a price -------------------------------------------------------------------


def cost(workers, s, hours_alone, fixed_price, worker_price):
    return hours_alone / speedup(workers, s) * (fixed_price + worker_price * workers)


def cheapest_workers(s, fixed_price, worker_price):
    return max(1.0, math.sqrt((1 - s) * fixed_price / (s * worker_price)))


def cheapest_in_time(deadline, s, hours_alone, fixed_price, worker_price, most_workers):
    numbers = np.arange(1, most_workers + 1)
    in_time = numbers[hours_alone / speedup(numbers, s) <= deadline]
    if in_time.size == 0:
        return -1.0
    return float(in_time[np.argmin(cost(in_time, s, hours_alone, fixed_price, worker_price))])


def _prices(rng):
    s = float(rng.uniform(0.02, 0.2))
    hours = float(rng.uniform(5, 50))
    return s, hours, float(rng.uniform(5, 40)), float(rng.uniform(0.5, 3))


def _bills(rng):
    cases = []
    for _ in range(3):
        s, hours, fixed, rate = _prices(rng)
        cases.append((float(rng.integers(2, 64)), s, hours, fixed, rate))
        cases.append((rng.integers(1, 64, size=6).astype(float), s, hours, fixed, rate))
    return cases


COST = FunctionCheck(
    Item("cost", 1, "price of a result"),
    "cost",
    _bills,
    cost,
    (
        Misconception(
            "the hours that are paid for fall with the speedup; hours_alone is for one worker",
            lambda n, s, h, f, r: h * (f + r * n),
        ),
        Misconception(
            "every worker is paid for, also while it waits for the serial part",
            lambda n, s, h, f, r: h / speedup(n, s) * (f + r),
        ),
        Misconception(
            "the fixed price is per hour too, so it falls with the time",
            lambda n, s, h, f, r: f + h / speedup(n, s) * r * n,
        ),
        Misconception(
            "the fixed price is missing: a machine room costs by the hour whatever N is",
            lambda n, s, h, f, r: h / speedup(n, s) * r * n,
        ),
    ),
)


def _knees(rng):
    cases = []
    for _ in range(4):
        s, _hours, fixed, rate = _prices(rng)
        cases.append((s, fixed, rate))
    return [*cases, (0.3, 0.0, 1.5)]


def _root(s, f, r):
    return math.sqrt((1 - s) * f / (s * r))


CHEAPEST_WORKERS = FunctionCheck(
    Item("cheapest_workers", 1, "number of workers with the lowest price"),
    "cheapest_workers",
    _knees,
    cheapest_workers,
    (
        Misconception("there is no less than one worker, also when nothing fixed is paid", _root),
        Misconception(
            "leave the number as it comes, not rounded to whole workers",
            lambda s, f, r: float(round(cheapest_workers(s, f, r))),
        ),
        Misconception(
            "this N is where speedup times efficiency peaks; here two prices decide",
            lambda s, f, r: (1 - s) / s,
        ),
        Misconception(
            "set the derivative of the cost to zero and solve for N: a square root is left over",
            lambda s, f, r: max(1.0, (1 - s) * f / (s * r)),
        ),
        Misconception(
            "both prices are there, but upside down: a dear fixed part asks for more workers",
            lambda s, f, r: max(1.0, math.sqrt((1 - s) * r / (s * f))) if f else math.inf,
        ),
    ),
)


def _deadlines(rng):
    cases = []
    while len(cases) < 5:
        s, hours, fixed, rate = _prices(rng)
        deadline = float(hours * rng.uniform(s + 0.03, 0.9))
        case = (deadline, s, hours, fixed, rate, 128)
        fewest = _fewest(*case)
        best = cheapest_in_time(*case)
        # Every draw shows both sides: now the deadline decides, now the price.
        if best > 0 and (best == fewest) == (len(cases) % 2 == 0):
            cases.append(case)
    s, hours, fixed, rate = _prices(rng)
    return [*cases, (0.9 * s * hours, s, hours, fixed, rate, 128)]


def _fewest(deadline, s, hours, fixed, rate, most):
    numbers = np.arange(1, most + 1)
    in_time = numbers[hours / speedup(numbers, s) <= deadline]
    return float(in_time[0]) if in_time.size else -1.0


def _whatever_the_deadline(deadline, s, hours, fixed, rate, most):
    numbers = np.arange(1, most + 1)
    return float(numbers[np.argmin(cost(numbers, s, hours, fixed, rate))])


def _fastest(deadline, s, hours, fixed, rate, most):
    return float(most) if hours / speedup(most, s) <= deadline else -1.0


CHEAPEST_IN_TIME = FunctionCheck(
    Item("cheapest_in_time", 1, "cheapest N that meets a deadline"),
    "cheapest_in_time",
    _deadlines,
    cheapest_in_time,
    (
        Misconception(
            "the fewest workers that meet the deadline are not always the cheapest: while the "
            "fixed price is paid for fewer hours, one more worker can save money",
            _fewest,
        ),
        Misconception(
            "this is the cheapest N of all; it has to meet the deadline too", _whatever_the_deadline
        ),
        Misconception("the most workers are the fastest, and rarely the cheapest", _fastest),
    ),
    otherwise="for some hidden prices and deadlines another N is cheaper, or no N is in time",
)

# 5 Amdahl's s into Gustafson's --------------------------------------------------------------------


def to_scaled(s, workers):
    return s * workers / (1 + s * (workers - 1))


def to_fixed(scaled, workers):
    return scaled / (scaled + (1 - scaled) * workers)


def _shares(rng):
    cases = [(float(rng.uniform(0.02, 0.6)), float(rng.integers(2, 300))) for _ in range(4)]
    return [*cases, (rng.uniform(0.02, 0.6, size=4), 16.0), (0.0, 8.0), (1.0, 8.0)]


TO_SCALED = FunctionCheck(
    Item("to_scaled", 1, "from the fixed to the scaled share"),
    "to_scaled",
    _shares,
    to_scaled,
    (
        Misconception(
            "the two shares are parts of different times, so they are not the same number",
            lambda s, n: s,
        ),
        Misconception("this goes the other way, from the scaled share to the fixed one", to_fixed),
        Misconception(
            "the serial seconds are right, but they must be divided by the time of the N-worker "
            "run, not multiplied by N alone",
            lambda s, n: s * n,
        ),
        Misconception(
            "only the parallel part is N times shorter; the serial part takes the same seconds",
            lambda s, n: s / n,
        ),
    ),
)

TO_FIXED = FunctionCheck(
    Item("to_fixed", 1, "from the scaled to the fixed share"),
    "to_fixed",
    _shares,
    to_fixed,
    (
        Misconception("this goes the other way, from the fixed share to the scaled one", to_scaled),
        Misconception(
            "the two shares are parts of different times, so they are not the same number",
            lambda s, n: s,
        ),
        Misconception(
            "one worker needs N times as long for the parallel part, and that changes the whole "
            "by which you divide",
            lambda s, n: s / n,
        ),
        Misconception(
            "the scaled share is a part of the N-worker time; its other part is worth N times as "
            "much on one worker, and it has to be in the denominator",
            lambda s, n: s / ((1 - s) * n),
        ),
    ),
)

STATEMENTS = ChoiceCheck(
    Item("statements", 1, "what the two laws say of one run"),
    "true_statements",
    frozenset("bd"),
    {
        "a": "look at (a) again: put the converted share into Gustafson's formula for some N",
        "b": "look at (b) again: put the converted share into Gustafson's formula for some N",
        "c": "look at (c) again: which of the two shares moves when the same job runs on more workers?",
        "d": "look at (d) again: which of the two shares moves when the same job runs on more workers?",
        "e": "look at (e) again: what does each law hold fixed?",
    },
)

ASSIGNMENTS = {
    "exercises": Assignment(
        checks={
            "check_1_speedup": EXERCISE_1,
            "check_1_inverses": (SERIAL_FRACTION, WORKERS_NEEDED),
            "check_2_tests": (WRITE_THE_TESTS,),
            "check_3_average": REAL_RUN,
            "check_3_measure": (PROTOCOL, INTERVAL),
            "check_3_report": (REPORT,),
            "check_4_price": (COST, CHEAPEST_WORKERS, CHEAPEST_IN_TIME),
            "check_5_convert": (TO_SCALED, TO_FIXED),
            "check_5_statements": (STATEMENTS,),
        },
        put_away=("amdahl_lab.laws",),
    )
}
