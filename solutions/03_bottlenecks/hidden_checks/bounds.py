"""Exercise 1: what bounds an operator, and what a faster stage is worth."""

import math

import numpy as np

from amdahl_lab.grading.items import ChoiceCheck, FunctionCheck, Item, Misconception


def attainable_rate(flops, moved, peak, bandwidth):
    """Work over the longer of its two times."""
    return flops / np.maximum(np.divide(flops, peak), np.divide(moved, bandwidth))


def least_batch(inputs, outputs, item_bytes, peak, bandwidth):
    """Batch at which a dense layer's intensity is the ridge; inf if no batch reaches it."""
    per_sample = 2 * inputs * outputs / peak - item_bytes * (inputs + outputs) / bandwidth
    return item_bytes * inputs * outputs / bandwidth / per_sample if per_sample > 0 else math.inf


def gain(stages, which, factor, overlapped):
    """How many times as fast a step becomes."""
    changed = [t / factor if index == which else t for index, t in enumerate(stages)]
    whole = max if overlapped else sum
    return whole(stages) / whole(changed)


def _machine(rng):
    peak, bandwidth = float(rng.uniform(5e13, 9e14)), float(rng.uniform(5e11, 3e12))
    return peak, bandwidth


def _operators(rng):
    cases = []
    for index in range(6):
        peak, bandwidth = _machine(rng)
        intensity = peak / bandwidth * rng.uniform(0.1, 0.7) ** (1 if index % 2 else -1)
        moved = float(rng.uniform(1e6, 1e9))
        cases.append((moved * intensity, moved, peak, bandwidth))
    peak, bandwidth = _machine(rng)
    moved = rng.uniform(1e6, 1e9, size=4)
    around = peak / bandwidth * np.array([0.05, 0.6, 1.5, 20.0])
    return [*cases, (moved * around, moved, peak, bandwidth)]


RATE = FunctionCheck(
    Item("attainable_rate", 1, "highest rate of an operator"),
    "attainable_rate",
    _operators,
    attainable_rate,
    (
        Misconception(
            "this adds the two times up; arithmetic and memory run at the same time here, so the "
            "longer one counts",
            lambda f, q, p, b: f / (f / p + q / b),
        ),
        Misconception(
            "no operator is faster than the peak, however many FLOPs it has for each byte",
            lambda f, q, p, b: f / q * b,
        ),
        Misconception(
            "the peak is reached only by operators with enough FLOPs for each byte",
            lambda f, q, p, b: p + 0 * f,
        ),
        Misconception(
            "of the peak and of what memory can feed, the smaller one is the bound",
            lambda f, q, p, b: np.maximum(p, f / q * b),
        ),
        Misconception(
            "bytes for each FLOP: turn the ratio round, FLOPs over bytes",
            lambda f, q, p, b: np.minimum(p, q / f * b),
        ),
        Misconception(
            "this is the least time, in seconds; the rate is FLOPs over that time",
            lambda f, q, p, b: np.maximum(f / p, q / b),
        ),
    ),
    otherwise="for some hidden operators another of the two, arithmetic or memory, is the bound",
)


def _layers(rng):
    cases = []
    for _ in range(4):
        peak, bandwidth = _machine(rng)
        inputs, outputs = (int(n) for n in rng.integers(20, 40, size=2) * 256)
        cases.append((inputs, outputs, int(rng.choice([1, 2])), peak, bandwidth))
    # A narrow layer on a machine with a high ridge: no batch makes it compute-bound.
    bandwidth = float(rng.uniform(1e11, 5e11))
    narrow = (int(rng.integers(8, 32)), int(rng.integers(8, 32)), 4, 400 * bandwidth, bandwidth)
    return [*cases, narrow]


def _per_sample(k, n, i, p, b):
    return 2 * k * n / p - i * (k + n) / b


LEAST_BATCH = FunctionCheck(
    Item("least_batch", 1, "least batch for which arithmetic sets the time"),
    "least_batch",
    _layers,
    least_batch,
    (
        Misconception(
            "where the inputs and outputs of one more sample take longer to move than to compute "
            "with, no batch is large enough: the answer is inf",
            lambda k, n, i, p, b: i * k * n / b / _per_sample(k, n, i, p, b),
        ),
        Misconception(
            "the inputs and outputs are moved too, and there are more of them the larger the batch",
            lambda k, n, i, p, b: i * p / b / 2,
        ),
        Misconception(
            "a multiplication and an addition are two FLOPs",
            lambda k, n, i, p, b: least_batch(k, n, 2 * i, p, b),
        ),
        Misconception(
            "bytes, not numbers: each number has item_bytes bytes",
            lambda k, n, i, p, b: least_batch(k, n, 1, p, b),
        ),
        Misconception(
            "leave the number as it comes, not rounded to whole samples",
            lambda k, n, i, p, b: np.ceil(least_batch(k, n, i, p, b)),
        ),
    ),
)


MEMORY_BOUND = ChoiceCheck(
    Item("memory_bound", 1, "which operators are bound by memory"),
    "memory_bound",
    frozenset("bcdf"),
    {
        "a": "look at (a) again: each number of the two matrices is used 4,096 times",
        "b": "look at (b) again: how often is each number of the matrix used?",
        "c": "look at (c) again: one FLOP, and how many bytes?",
        "d": "look at (d) again: count the bytes of the weights; 64 samples share them",
        "e": "look at (e) again: the same weights as in (d), and 16 times the work",
        "f": "look at (f) again: the product is large, and each number in it needs 16 "
        "multiplications only",
    },
)


def _stages(rng):
    cases = []
    for index in range(6):
        stages = rng.permutation(np.sort(rng.uniform(1, 9, size=4)) * [1, 1, 1, 1.3]).tolist()
        longest = int(np.argmax(stages))
        which = longest if index % 3 else int((longest + 1 + rng.integers(3)) % 4)
        cases.append((stages, which, float(rng.uniform(1.5, 8)), index % 2 == 0))
    return cases


def _always_sum(stages, which, factor, overlapped):
    return gain(stages, which, factor, False)


def _as_if_alone(stages, which, factor, overlapped):
    if not overlapped:
        return gain(stages, which, factor, False)
    return factor if which == int(np.argmax(stages)) else 1.0


GAIN = FunctionCheck(
    Item("gain", 1, "what a faster stage is worth, by sum and by maximum"),
    "gain",
    _stages,
    gain,
    (
        Misconception(
            "stages that overlap do not add up: the longest one sets the pace, and a faster stage "
            "beside it changes nothing",
            _always_sum,
        ),
        Misconception(
            "stages that follow one another add up: a faster one saves time even where it is not "
            "the longest",
            lambda stages, which, factor, overlapped: gain(stages, which, factor, True),
        ),
        Misconception(
            "when the longest stage gets faster, another one becomes the longest: the gain ends "
            "there",
            _as_if_alone,
        ),
        Misconception(
            "this is the new time over the old one; the gain is old over new",
            lambda stages, which, factor, overlapped: 1 / gain(stages, which, factor, overlapped),
        ),
        Misconception(
            "the two cases are exchanged: overlapped stages take as long as the longest one",
            lambda stages, which, factor, overlapped: gain(stages, which, factor, not overlapped),
        ),
    ),
)
