"""Exercise 3: time to target, with runs that were stopped before they got there."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def steps(hours, reached):
    """Times at which a run got there, and the share not there yet just after each."""
    hours, reached = np.asarray(hours, dtype=float), np.asarray(reached, dtype=bool)
    times = np.unique(hours[reached])
    watched = np.sum(hours[:, None] >= times, axis=0)
    there = np.sum(reached[:, None] & (hours[:, None] == times), axis=0)
    return times, np.cumprod(1 - there / watched)


def areas(times, share):
    """Area under the share from 0 to each of these times."""
    return np.cumsum(np.diff(times, prepend=0.0) * np.append(1.0, share)[: times.size])


def not_there_yet(hours, reached, at):
    """Kaplan and Meier's share of runs that take longer than `at`."""
    times, share = steps(hours, reached)
    return np.append(1.0, share)[np.searchsorted(times, at, side="right")]


def median_hours(hours, reached):
    """First time at which no more than half are not there yet; inf if there is none."""
    times, share = steps(hours, reached)
    there = times[share <= 0.5]
    return float(there[0]) if there.size else math.inf


def restricted_mean(hours, reached, limit):
    """Area under the share not there yet, up to the limit."""
    times, share = steps(hours, reached)
    before = times < limit
    edges = np.append(times[before], limit)
    return float(areas(edges, share[before])[-1])


def _expected(hours, reached):
    times, share = steps(hours, reached)
    return times, areas(times, share) / (1 - share)


def best_stop(hours, reached):
    """Hours after which to stop and start again, and the expected hours until one gets there."""
    times, expected = _expected(hours, reached)
    best = int(np.argmin(expected))
    return [float(times[best]), float(expected[best])]


def _runs(rng, size):
    """Runs of a skewed distribution, each stopped after hours of its own; no share of a half."""
    while True:
        needed = np.exp(rng.normal(1.0, 0.9, size=size)).round(2)
        given = rng.uniform(1.5, 9, size=size).round(2)
        hours, reached = np.minimum(needed, given), needed <= given
        hours[1], reached[1] = hours[0], not reached[0]  # one gets there as another is stopped
        _, share = steps(hours, reached)
        some = 0.3 * size < reached.sum() < 0.8 * size
        if some and not np.any(np.abs(share - 0.5) < 1e-6):
            return hours, reached


def _dropped(function):
    def wrong(hours, reached, *more):
        return function(hours[reached], reached[reached], *more)

    return wrong


def _as_if_there(function):
    def wrong(hours, reached, *more):
        return function(hours, np.ones_like(reached), *more)

    return wrong


def _never(function):
    """Runs that were stopped count as runs that would never have got there."""

    def wrong(hours, reached, *more):
        return function(np.where(reached, hours, 1e9), reached, *more)

    return wrong


DROPPED = (
    "runs that were stopped are dropped here, and those are the slow ones; they did say that "
    "they take longer than they were given"
)
AS_IF_THERE = (
    "a run that was stopped has not got there: its hours are less than what it takes, and "
    "not the same"
)
NEVER = (
    "a run that was stopped might have got there later: it counts among those not there yet while "
    "it was watched, and after that neither way"
)


def _known(function):
    return (
        Misconception(DROPPED, _dropped(function)),
        Misconception(AS_IF_THERE, _as_if_there(function)),
        Misconception(NEVER, _never(function)),
    )


def _moments(rng):
    cases = []
    for size in (9, 14, 20):
        hours, reached = _runs(rng, size)
        between = rng.uniform(0, hours.max(), size=5)
        cases.append((hours, reached, np.concatenate([between, hours[:3], [0.0]])))
    return cases


NOT_THERE_YET = FunctionCheck(
    Item("not_there_yet", 1, "share of runs that take longer"),
    "not_there_yet",
    _moments,
    not_there_yet,
    (
        *_known(not_there_yet),
        Misconception(
            "this is the share that got there; the share that takes longer is asked for",
            lambda h, r, at: 1 - not_there_yet(h, r, at),
        ),
    ),
    otherwise="at each time at which a run gets there, the share is multiplied by 1 - d/n, with n "
    "counting every run that was watched until then",
)


def _medians(rng):
    cases, finite = [], 0
    while len(cases) < 6:
        case = _runs(rng, int(rng.integers(9, 20)))
        right = median_hours(*case)
        # On the first, every known mistake gives another median.
        known = {wrong(median_hours)(*case) for wrong in (_dropped, _as_if_there, _never)}
        if math.isfinite(right) and finite < 5 and (cases or len(known | {right}) == 4):
            cases.append(case)
            finite += 1
        if not math.isfinite(right) and len(cases) == 5:
            cases.append(case)
    return cases


MEDIAN = FunctionCheck(
    Item("median_hours", 1, "typical time to target"),
    "median_hours",
    _medians,
    median_hours,
    (
        *_known(median_hours),
        Misconception(DROPPED, lambda h, r: float(np.median(h[r]))),
        Misconception(AS_IF_THERE, lambda h, r: float(np.median(h))),
    ),
    otherwise="the first time at which your share of the runs not there yet is a half or less, "
    "and inf where it stays above",
)


def _limits(rng):
    cases = []
    for size in (10, 15, 21):
        hours, reached = _runs(rng, size)
        cases.append((hours, reached, float(rng.uniform(0.4, 0.9) * hours.max())))
    hours, reached = _runs(rng, 12)
    return [*cases, (hours, reached, float(hours.max()))]


RESTRICTED_MEAN = FunctionCheck(
    Item("restricted_mean", 1, "mean time up to a limit"),
    "restricted_mean",
    _limits,
    restricted_mean,
    (
        *_known(restricted_mean),
        Misconception(DROPPED, lambda h, r, limit: float(np.minimum(h[r], limit).mean())),
        Misconception(AS_IF_THERE, lambda h, r, limit: float(np.minimum(h, limit).mean())),
    ),
    otherwise="the area under the share not there yet, from 0 to the limit: a staircase that "
    "begins at 1",
)


def _restarts(rng):
    cases = []
    while len(cases) < 5:
        case = _runs(rng, int(rng.integers(12, 24)))
        times, expected = _expected(*case)
        ordered = np.sort(expected)
        best = int(np.argmin(expected))
        if ordered[1] - ordered[0] > 0.01 and best not in (0, times.size - 1):
            cases.append(case)
    return cases


def _stop(expected):
    """Best stop by another formula of the restricted mean, the time and the share left."""

    def wrong(hours, reached):
        times, share = steps(hours, reached)
        values = expected(areas(times, share), times, share)
        best = int(np.argmin(values))
        return [float(times[best]), float(values[best])]

    return wrong


BEST_STOP = FunctionCheck(
    Item("best_stop", 1, "when to stop and start again"),
    "best_stop",
    _restarts,
    best_stop,
    (
        *_known(best_stop),
        Misconception(
            "not every run lasts until it is stopped: those that get there end sooner, so the "
            "mean hours of one run are your restricted mean",
            _stop(lambda means, times, share: times / (1 - share)),
        ),
        Misconception(
            "these are the hours of one run; in the mean it takes one over the share that gets "
            "there in time",
            _stop(lambda means, times, share: means),
        ),
        Misconception(
            "divide by the share that gets there in time, not by the one that does not",
            _stop(lambda means, times, share: means / np.maximum(share, 1e-300)),
        ),
    ),
    otherwise="try every time at which a run got there",
)
