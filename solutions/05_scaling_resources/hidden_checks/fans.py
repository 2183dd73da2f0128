"""Exercise 1: what one measured speedup says of s, and of speedups with more workers."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception
from amdahl_lab.grading.refusals import RefusalCheck


def serial_range(workers, low, high):
    """Lowest and highest s: the time of N workers over that of one is 1/S = s + (1 - s)/N."""
    fractions = [
        (1 / min(max(S, 1), workers) - 1 / workers) / (1 - 1 / workers) for S in (high, low)
    ]
    return np.array(fractions)


def speedup_range(workers, low, high, more):
    """Rows of the lowest and the highest speedup."""
    most, least = serial_range(workers, low, high)[::-1]
    return np.array([[1 / (s + (1 - s) / N) for N in more] for s in (most, least)])


def telling_workers(workers, low, high, ratio):
    """Fewest workers for which the two ends of the fan are `ratio` apart; None where none are."""
    least, most = serial_range(workers, low, high)
    # Ratio of the two speedups: (most N + 1 - most) / (least N + 1 - least), rising with N.
    gain = most - ratio * least
    return None if gain <= 0 else math.ceil((ratio * (1 - least) - (1 - most)) / gain)


def _inside(rng):
    """Workers and an interval of the speedup, both ends possible."""
    workers = int(rng.integers(3, 17))
    middle = rng.uniform(0.6, 0.9) * workers
    width = rng.uniform(0.03, 0.09) * workers
    return workers, max(1.05, middle - width), middle + width


def _beyond(rng):
    """One whose high end lies above N."""
    workers = int(rng.integers(3, 9))
    return workers, float(rng.uniform(0.8, 0.9)) * workers, float(rng.uniform(1.03, 1.1)) * workers


def _below(rng):
    """One whose low end lies below 1."""
    return int(rng.integers(3, 9)), float(rng.uniform(0.7, 0.95)), float(rng.uniform(1.2, 1.6))


def _measured(rng):
    return [_inside(rng), _inside(rng), _beyond(rng), _below(rng), _inside(rng)]


def _raw_range(workers, low, high):
    return np.array([(workers / S - 1) / (workers - 1) for S in (high, low)])


RANGE = FunctionCheck(
    Item("fan_range", 1, "range of the serial fraction"),
    "serial_range",
    _measured,
    serial_range,
    (
        Misconception(
            "the ends are exchanged: the low end of s belongs to the high end of the speedup",
            lambda N, low, high: serial_range(N, low, high)[::-1],
        ),
        Misconception(
            "a part of the interval that is above N or below 1 belongs to no s between 0 and 1: "
            "cut the speedup off at 1 and at N first",
            _raw_range,
        ),
        Misconception(
            "1 - S/N is the efficiency that is missing, and not the serial fraction: solve "
            "Amdahl's law for s",
            lambda N, low, high: np.array([1 - min(max(S, 1), N) / N for S in (high, low)]),
        ),
        Misconception(
            "1/S is what s comes to with endless workers; N of them leave (1 - s)/N beside it",
            lambda N, low, high: np.array([1 / min(max(S, 1), N) for S in (high, low)]),
        ),
    ),
    otherwise="1/S = s + (1 - s)/N at each end of the interval; return the low s, then the high s",
)


def _refusals(rng):
    N, low, high = _inside(rng)
    return [
        ((N, low, high), ""),
        (_beyond(rng), ""),
        (_below(rng), ""),
        (
            (N, 1.02 * N, 1.1 * N),
            "all of the interval lies above N, where no serial fraction leads: refuse it",
        ),
        (
            (N, 0.6, 0.9),
            "all of the interval lies below 1, where no serial fraction leads: refuse it",
        ),
        ((N, high, low), "the low end lies above the high end: refuse it"),
        ((1, 1.0, 1.0), "one worker says nothing about s: refuse fewer than two"),
        ((N, math.nan, high), "refuse a speedup that is not a number; NaN fails all comparisons"),
    ]


REFUSED = RefusalCheck(
    Item("fan_refused", 1, "impossible speedups are refused, possible ones are not"),
    "serial_range",
    _refusals,
    otherwise=(
        "an interval that reaches beyond 1 or N holds possible speedups too: refuse only those "
        "that hold none"
    ),
)


def _larger(rng):
    return [
        (*case, np.sort(rng.choice(np.arange(8, 400), size=4, replace=False)).astype(float))
        for case in (_inside(rng), _beyond(rng), _inside(rng))
    ]


SPEEDUPS = FunctionCheck(
    Item("fan_speedups", 1, "lowest and highest speedup with more workers"),
    "speedup_range",
    _larger,
    speedup_range,
    (
        Misconception(
            "the rows are exchanged: the lowest speedup belongs to the highest s",
            lambda *case: speedup_range(*case)[::-1],
        ),
        Misconception(
            "a fan does not keep its shape: the speedups do not grow in proportion to the workers",
            lambda N, low, high, more: np.array([low * more / N, min(high, N) * more / N]),
        ),
        Misconception(
            "this is 1/s, the limit for endless workers; these are few",
            lambda N, low, high, more: 1 / serial_range(N, low, high)[::-1, None] + 0 * more,
        ),
        Misconception(
            "one row for each end of the fan and one column for each number of workers, not the "
            "other way round",
            lambda *case: speedup_range(*case).T,
        ),
    ),
    otherwise="put the highest s and the lowest s into S = 1/(s + (1 - s)/N)",
)


def _ratios(rng):
    cases = []
    while len(cases) < 4:  # two that can be told apart, with room for rounding; two otherwise
        N, low, high = _inside(rng) if len(cases) < 3 else _beyond(rng)
        least, most = serial_range(N, low, high)
        ratio = float(rng.uniform(1.2, 1.6))
        if len(cases) == 2:  # never so far apart
            cases.append((N, low, high, 1.05 * most / least))
            continue
        gain = most - ratio * least
        found = (ratio * (1 - least) - (1 - most)) / gain if gain > 0 else 0.0
        if N + 1 < found < 2000 and 0.1 < found % 1 < 0.4:
            cases.append((N, low, high, ratio))
    return cases


def _real_workers(N, low, high, ratio):
    least, most = serial_range(N, low, high)
    gain = most - ratio * least
    return None if gain <= 0 else (ratio * (1 - least) - (1 - most)) / gain


APART = FunctionCheck(
    Item("fan_apart", 1, "the fewest workers that tell the two ends apart"),
    "telling_workers",
    _ratios,
    telling_workers,
    (
        Misconception(
            "workers come whole, and with one fewer the ends are not yet so far apart: round up",
            lambda *case: None if (n := _real_workers(*case)) is None else math.floor(n),
        ),
        Misconception("workers come whole: return a whole number", _real_workers),
        Misconception(
            "where the ends are never so far apart, return None",
            lambda *case: -1 if (n := telling_workers(*case)) is None else n,
        ),
    ),
    otherwise=(
        "the ratio of the highest speedup to the lowest rises with N towards the ratio of the two "
        "s, which may be endless: find the first whole N that reaches it"
    ),
)
