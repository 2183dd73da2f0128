"""Exercise 3: what the slowest of N workers costs."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

# A simulation with 100,000 draws or more comes as near as this.
TOLERANCE = 3e-3


def expected_step(times, workers):
    """Mean of the largest of N draws: each time in order, by its chance to be the largest."""
    ordered = np.sort(times)
    below = np.arange(ordered.size + 1) / ordered.size
    return float(ordered @ np.diff(below**workers))


def expected_slow_step(times, workers, factor):
    """The same where one of the N workers takes `factor` times as long."""
    times = np.asarray(times)
    points = np.sort(np.concatenate([times, factor * times]))
    usual = np.searchsorted(np.sort(times), points, side="right") / times.size
    slow = np.searchsorted(np.sort(factor * times), points, side="right") / times.size
    chance = usual ** (workers - 1) * slow
    return float(points @ np.diff(chance, prepend=0.0))


def ways_out(workers, factor):
    """Step with equal shares, without the slow worker, and with shares by speed."""
    N, k = workers, factor
    return [k, N / (N - 1), N / (N - 1 + 1 / k)]


def _times(rng, spread=None):
    spread = rng.uniform(0.1, 0.3) if spread is None else spread
    return 0.1 * np.exp(rng.normal(0, spread, size=int(rng.integers(20, 60))))


def _steps(rng):
    numbers = (int(rng.integers(3, 8)), int(rng.integers(10, 40)), 1)
    return [(_times(rng), workers) for workers in numbers]


def _of_slow(answer):
    """A mistaken function of the slow step, called like the right one."""
    return lambda times, workers, factor: float(answer(np.asarray(times), workers, factor))


STEP = FunctionCheck(
    Item("expected_step", 1, "expected step of N workers"),
    "expected_step",
    _steps,
    expected_step,
    (
        Misconception(
            "this is one worker's mean; the step ends when the last of N workers is done, and that "
            "is later",
            lambda times, workers: float(np.mean(times)),
        ),
        Misconception(
            "the longest time of all is the worst case; with few workers a step is rarely that bad",
            lambda times, workers: float(np.max(times)) if workers > 1 else float(np.mean(times)),
        ),
        Misconception(
            "the longest time of all is the worst case; with few workers a step is rarely that bad",
            lambda times, workers: float(np.max(times)),
        ),
        Misconception(
            "workers run side by side: their times do not add up",
            lambda times, workers: workers * float(np.mean(times)),
        ),
        Misconception(
            "a mean and a spread do not know N: the more workers, the further out is the slowest",
            lambda times, workers: float(np.mean(times) + np.std(times)),
        ),
        Misconception(
            "this is the smallest of N draws; the step waits for the largest",
            lambda times, workers: -expected_step(-np.asarray(times), workers),
        ),
    ),
    otherwise="the chance that all of N draws are at most t is the chance of one, to the power N",
    tolerance=TOLERANCE,
)


def _slow_steps(rng):
    cases = []
    for _ in range(2):
        factor, workers = float(rng.uniform(1.15, 1.4)), int(rng.integers(4, 9))
        cases.append((_times(rng), workers, factor))
    # Now the others are later than the slow worker, as a rule, and now they hardly ever are.
    others = (_times(rng, 0.3), int(rng.integers(9, 13)), float(rng.uniform(1.05, 1.15)))
    slow = (_times(rng, 0.1), 3, float(rng.uniform(1.3, 1.4)))
    return [*cases, others, slow, (_times(rng), 2, float(rng.uniform(1.2, 1.5)))]


SLOW_STEP = FunctionCheck(
    Item("expected_slow_step", 1, "expected step with one slow worker"),
    "expected_slow_step",
    _slow_steps,
    expected_slow_step,
    (
        Misconception(
            "the step ends with the slowest worker: a slow one is not thinned out by the others, "
            "as it is in a mean",
            _of_slow(lambda t, n, k: np.mean(t) * (n - 1 + k) / n),
        ),
        Misconception(
            "one worker is slow, not all of them",
            _of_slow(lambda t, n, k: k * expected_step(t, n)),
        ),
        Misconception(
            "the slow worker varies too, and now and then another one is later than it: the mean "
            "of the largest is more than the largest of the means",
            _of_slow(lambda t, n, k: max(expected_step(t, n - 1), k * np.mean(t))),
        ),
        Misconception(
            "the slow worker is missing: this is the step of the others",
            _of_slow(lambda t, n, k: expected_step(t, n - 1)),
        ),
        Misconception(
            "the other workers are missing: now and then one of them is the last",
            _of_slow(lambda t, n, k: k * np.mean(t)),
        ),
        Misconception(
            "N workers in all: the slow one and N - 1 others",
            _of_slow(lambda t, n, k: expected_slow_step(t, n + 1, k)),
        ),
    ),
    otherwise="the largest of all is at most t if the slow worker is, and each of the N - 1 others",
    tolerance=TOLERANCE,
)


def _slowed(rng):
    cases = [(int(rng.integers(3, 40)), float(rng.uniform(1.05, 3))) for _ in range(4)]
    return [*cases, (2, 2.0), (8, 1.0)]


WAYS_OUT = FunctionCheck(
    Item("ways_out", 1, "keep, drop, or share by speed"),
    "ways_out",
    _slowed,
    ways_out,
    (
        Misconception(
            "without the slow worker the others do its share too: N shares on N - 1 of them",
            lambda n, k: [k, 1.0, n / (n - 1 + 1 / k)],
        ),
        Misconception(
            "a worker that is k times slower does 1/k of the work in the same time",
            lambda n, k: [k, n / (n - 1), n / (n - 1 + k)],
        ),
        Misconception(
            "with equal shares all wait for the slow worker; the mean of the workers' times says "
            "little",
            lambda n, k: [(n - 1 + k) / n, n / (n - 1), n / (n - 1 + 1 / k)],
        ),
        Misconception(
            "these are speeds; times of a step are asked for, and 1 is a step of healthy workers",
            lambda n, k: [1 / value for value in ways_out(n, k)],
        ),
        Misconception(
            "shares by speed: the step takes all the work over the sum of the speeds, not the mean "
            "of the times",
            lambda n, k: [k, n / (n - 1), (n - 1 + k) / n],
        ),
    ),
)
