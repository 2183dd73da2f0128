"""Exercise 5: Amdahl's s into Gustafson's."""

import numpy as np

from amdahl_lab.grading.items import ChoiceCheck, FunctionCheck, Item, Misconception


def to_scaled(s, workers):
    """Scaled share from the fixed one."""
    return s * workers / (1 + s * (workers - 1))


def to_fixed(scaled, workers):
    """Fixed share from the scaled one."""
    return scaled / (scaled + (1 - scaled) * workers)


def _shares(rng):
    cases = [(float(rng.uniform(0.02, 0.6)), float(rng.integers(2, 300))) for _ in range(4)]
    return [*cases, (rng.uniform(0.02, 0.6, size=4), 16.0), (0.0, 8.0), (1.0, 8.0)]


def _odds(scaled, n):
    return np.divide(scaled, np.subtract(1, scaled) * n)


TO_SCALED = FunctionCheck(
    Item("to_scaled", 1, "from the fixed to the scaled fraction"),
    "to_scaled",
    _shares,
    to_scaled,
    (
        Misconception(
            "the two shares are parts of different times, so they are not the same number",
            lambda s, n: s,
        ),
        Misconception(
            "this goes the other way, from the scaled fraction to the fixed one", to_fixed
        ),
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
            "the scaled fraction is a part of the N-worker time; its other part is worth N times "
            "as much on one worker, and it has to be in the denominator",
            _odds,
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
        "c": "look at (c) again: which share moves when the same job runs on more workers?",
        "d": "look at (d) again: which share moves when the same job runs on more workers?",
        "e": "look at (e) again: what does each law hold fixed?",
    },
)
