"""Exercise 1: the law and its inverses."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

from .laws import (
    outline_factor,
    outline_speedup,
    outline_time,
    serial_fraction,
    speedup,
    workers_needed,
)


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
        outline_time,
    ),
    Misconception("this is the outline's formula; try it with one worker", outline_speedup),
    Misconception("this is the outline's formula; try it with one worker", outline_factor),
    Misconception(
        "this is the time T(N) / T(1), and the speedup is T(1) / T(N)",
        lambda n, s: s + (1 - s) / n,
    ),
    Misconception(
        "this is the efficiency S / N; the speedup itself is asked for",
        lambda n, s: 1 / (1 + s * (n - 1)),
    ),
)

SPEEDUP = (
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
