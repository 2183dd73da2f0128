"""Exercise 4: the cheapest N for given prices."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

from .laws import speedup


def cost(workers, s, hours_alone, fixed_price, worker_price):
    """Price of the result."""
    return hours_alone / speedup(workers, s) * (fixed_price + worker_price * workers)


def cheapest_workers(s, fixed_price, worker_price):
    """Where the derivative of the price by N is zero, and at least 1."""
    return max(1.0, math.sqrt((1 - s) * fixed_price / (s * worker_price)))


def cheapest_in_time(deadline, s, hours_alone, fixed_price, worker_price, most_workers):
    """Cheapest whole N in time; -1 if there is none."""
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
        Misconception(
            "for a deadline that no number of workers meets, return -1",
            lambda *case: None if cheapest_in_time(*case) < 0 else cheapest_in_time(*case),
        ),
    ),
    otherwise="for some hidden prices and deadlines another N is cheaper, or no N is in time",
)
