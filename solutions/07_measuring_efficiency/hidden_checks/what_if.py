"""Exercise 2: a profile as a list of fractions, and what mending brings."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception
from amdahl_lab.statistics import mean_time_interval


def _rows(intervals):
    return np.array([(one.estimate, one.low, one.high) for one in intervals])


def shares(seconds):
    """Share of each operator with its interval."""
    seconds = np.asarray(seconds)
    of_step = seconds / seconds.sum(axis=1, keepdims=True)
    return _rows([mean_time_interval(column) for column in of_step.T])


def _profiles(rng):
    cases = []
    for rounds, operators in ((8, 4), (12, 6), (5, 3)):
        typical = rng.uniform(0.5, 6, size=operators) * 1e-3
        level = np.exp(rng.normal(0, 0.25, size=(rounds, 1)))
        noise = np.exp(rng.normal(0, 0.04, size=(rounds, operators)))
        cases.append((typical * level * noise,))
    return cases


def _seconds(seconds):
    return _rows([mean_time_interval(column) for column in np.asarray(seconds).T])


def _over_mean_step(seconds):
    return _seconds(seconds) / np.asarray(seconds).sum(axis=1).mean()


def _sums(seconds):
    return np.asarray(seconds).sum(axis=0) / np.asarray(seconds).sum()


SHARES = FunctionCheck(
    Item("shares", 1, "shares of the operators with intervals"),
    "shares",
    _profiles,
    shares,
    (
        Misconception("these are seconds; the share of the step is asked for", _seconds),
        Misconception(
            "one ratio of sums has no interval: take the share in each round, then the interval "
            "of these shares",
            _sums,
        ),
        Misconception(
            "divide each round by the step of that same round: what slows a whole round must "
            "cancel before the interval is made",
            _over_mean_step,
        ),
    ),
    otherwise="the share of each operator in each round, then mean_time_interval of each column",
)


def most(fractions):
    """Speedup of the step where an operator takes no time any more."""
    return 1 / (1 - np.asarray(fractions))


def _fractions(rng):
    cases = []
    for operators in (3, 5):
        centre = rng.uniform(0.03, 0.6, size=(operators, 1))
        cases.append((centre * np.array([1.0, 0.93, 1.06]),))
    return [*cases, (rng.uniform(0.05, 0.9, size=4),)]


MOST = FunctionCheck(
    Item("most", 1, "the most that mending each can bring"),
    "most",
    _fractions,
    most,
    (
        Misconception(
            "1/f is the limit where f is the part that stays; here f is the part that goes away",
            lambda f: 1 / np.asarray(f),
        ),
        Misconception(
            "a part that goes away makes the rest more than 1 + f times as fast: what is left of "
            "the time?",
            lambda f: 1 + np.asarray(f),
        ),
        Misconception(
            "this is by how much faster; how many times as fast is asked for",
            lambda f: most(f) - 1,
        ),
        Misconception(
            "this is the time that is left; the speedup is its inverse", lambda f: 1 - np.asarray(f)
        ),
    ),
)


def whole(fractions, gains):
    """Amdahl's law with several enhanced parts; what is not listed stays."""
    fractions, gains = np.asarray(fractions, dtype=float), np.asarray(gains, dtype=float)
    return float(1 / (1 - np.sum(fractions * (1 - 1 / gains))))


def _changes(rng):
    cases = []
    for operators in (2, 4, 6):
        parts = rng.dirichlet(np.ones(operators + 1))[:operators]
        gains = rng.uniform(1, 6, size=operators)
        gains[rng.integers(operators)] = math.inf
        cases.append((parts, gains))
    parts = rng.dirichlet(np.ones(4))[:3]
    return [*cases, (parts, np.ones(3)), (parts, rng.uniform(2, 6, size=3))]


def _single(fractions, gains):
    return [whole([f], [g]) for f, g in zip(fractions, gains, strict=True)]


WHOLE = FunctionCheck(
    Item("whole", 1, "the step with several operators mended"),
    "whole",
    _changes,
    whole,
    (
        Misconception(
            "speedups of single changes do not multiply: the second takes its share of a step "
            "that is shorter already; add up the times that are left",
            lambda f, g: float(np.prod(_single(f, g))),
        ),
        Misconception(
            "speedups of single changes do not add up; add up the times that are left",
            lambda f, g: 1 + sum(one - 1 for one in _single(f, g)),
        ),
        Misconception(
            "what is not listed takes its time too: the fractions need not add up to 1",
            lambda f, g: float(1 / np.sum(f / g)),
        ),
        Misconception(
            "a mean of the gains weighs them by the time of before; what is left is f/g",
            lambda f, g: float(1 - np.sum(f) + np.sum(f * g)),
        ),
    ),
)


def _best(fractions, gains, days, budget):
    """All sets within the budget, a row of 0 and 1 each, and what they save, the best first."""
    operators = len(days)
    sets = np.arange(2**operators)[:, None] >> np.arange(operators) & 1
    sets = sets[sets @ np.asarray(days) <= budget]
    saved = sets @ (np.asarray(fractions) * (1 - 1 / np.asarray(gains, dtype=float)))
    order = np.argsort(-saved)
    return sets[order], saved[order]


def best_set(fractions, gains, days, budget):
    """Places of the operators whose mending within the budget makes the step shortest."""
    return np.flatnonzero(_best(fractions, gains, days, budget)[0][0]).astype(float).tolist()


def _greedy(key):
    def chosen(fractions, gains, days, budget):
        order = sorted(range(len(days)), key=lambda k: -key(fractions[k], gains[k], days[k]))
        places, left = [], budget
        for place in order:
            if days[place] <= left:
                places.append(place)
                left -= days[place]
        return sorted(float(place) for place in places)

    return chosen


_BY_SHARE = _greedy(lambda f, g, d: f)
_BY_GAIN = _greedy(lambda f, g, d: g)
_BY_RATE = _greedy(lambda f, g, d: f * (1 - 1 / g) / d)
_BY_SAVING = _greedy(lambda f, g, d: f * (1 - 1 / g))


def _plans(rng):
    """Four plans; on the first every short cut misses the best set, each in another way."""
    cases, short_cuts = [], (_BY_RATE, _BY_SAVING, _BY_SHARE, _BY_GAIN)
    while len(cases) < 4:
        operators = int(rng.integers(5, 9))
        fractions = rng.dirichlet(np.full(operators + 1, 1.5))[:operators]
        gains = rng.uniform(1.2, 8, size=operators)
        days = rng.integers(1, 9, size=operators).astype(float)
        case = (fractions, gains, days, float(rng.integers(6, 14)))
        sets, saved = _best(*case)
        if len(sets) < 3 or saved[0] - saved[1] < 1e-3:
            continue
        chosen = [np.flatnonzero(sets[0]).astype(float).tolist()]
        if not cases:
            for short_cut in short_cuts:
                chosen.append(short_cut(*case))
                if chosen[-1] in chosen[:-1]:
                    break
        if cases or len({tuple(one) for one in chosen}) == 1 + len(short_cuts):
            cases.append(case)
    return cases


BEST_SET = FunctionCheck(
    Item("best_set", 1, "the best set under a budget"),
    "best_set",
    _plans,
    best_set,
    (
        Misconception("a large share with a small gain saves little", _BY_SHARE),
        Misconception("a large gain of a small share saves little", _BY_GAIN),
        Misconception(
            "the best use of each single day need not be the best use of all: it may leave days "
            "over in which nothing fits; there are few enough sets to try them all",
            _BY_RATE,
        ),
        Misconception(
            "two smaller savings may fit where the largest one fills the budget; there are few "
            "enough sets to try them all",
            _BY_SAVING,
        ),
    ),
)
