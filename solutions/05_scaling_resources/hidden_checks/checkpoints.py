"""Exercise 2: what a job that fails and saves gets done, and how often it should save."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def first_order_goodput(tau, delta, R, M):
    """Kept work over the time that it takes, with a failure in every M of kept work."""
    return tau / (tau + delta + tau / M * (R + (tau + delta) / 2))


def goodput(tau, delta, R, M):
    """Kept work over its expected time, for failures of a Poisson process."""
    # Of a first try that fails with chance 1 - q, and of tries of a restart and all after it.
    L = tau + delta
    q = np.exp(-L / M)
    first = M * (1 - q)
    again = M * (np.exp((L + R) / M) - 1)
    return tau / (first + (1 - q) * again)


def best_interval(delta, R, M):
    """Root of the slope of the goodput: exp(-(tau + delta)/M) = 1 - tau/M, found by halving."""
    low, high = 0.0, M
    for _ in range(80):
        middle = (low + high) / 2
        if np.exp(-(middle + delta) / M) < 1 - middle / M:
            low = middle
        else:
            high = middle
    return low


def _jobs(rng):
    cases = []
    for between in (24.0, 6.0, 1.0, 0.4):
        M = between * 60 * float(rng.uniform(0.9, 1.1))
        tau, delta, R = (float(rng.uniform(*ends)) for ends in ((20, 90), (2, 9), (3, 15)))
        cases.append((tau, delta, R, M))
    return cases


FIRST_ORDER = FunctionCheck(
    Item("goodput_first_order", 1, "goodput to first order"),
    "first_order_goodput",
    _jobs,
    first_order_goodput,
    (
        Misconception(
            "this leaves out the failures: each costs a restart and half of what lies between two "
            "saves",
            lambda tau, delta, R, M: tau / (tau + delta),
        ),
        Misconception(
            "a failure loses half of what lies between two saves on average, not all of it",
            lambda tau, delta, R, M: tau / (tau + delta + tau / M * (R + tau + delta)),
        ),
        Misconception(
            "a failure can hit the save too: half of tau + delta is lost, not half of tau",
            lambda tau, delta, R, M: tau / (tau + delta + tau / M * (R + tau / 2)),
        ),
        Misconception(
            "this is the time for each second of kept work; goodput is one over it",
            lambda *job: 1 / first_order_goodput(*job),
        ),
        Misconception(
            "each failure costs a restart beside what it loses",
            lambda tau, delta, R, M: first_order_goodput(tau, delta, 0, M),
        ),
        Misconception(
            "this is the exact law; here each failure costs the restart and half of tau + delta",
            goodput,
        ),
    ),
    otherwise="kept work, saves, and for each failure a restart and half of tau + delta",
)

EXACT = FunctionCheck(
    Item("goodput_exact", 1, "goodput for failures that are memoryless"),
    "goodput",
    _jobs,
    goodput,
    (
        Misconception(
            "this is the first-order law; put together what the two stretches take",
            first_order_goodput,
        ),
        Misconception(
            "the first try needs no restart: only the tries after a failure do",
            lambda tau, delta, R, M: tau / (M * np.expm1((tau + delta + R) / M)),
        ),
        Misconception(
            "where is the restart? After a failure, restart, work and save have to go well in one",
            lambda tau, delta, R, M: goodput(tau, delta, 0, M),
        ),
        Misconception(
            "a restart can fail too: it is part of the stretch that has to go well",
            lambda tau, delta, R, M: (
                tau / (M * np.expm1((tau + delta) / M) + R * np.expm1((tau + delta) / M))
            ),
        ),
        Misconception(
            "a save can fail as well as the work before it: both are in the stretch",
            lambda tau, delta, R, M: goodput(tau, 0, R, M) * tau / (tau + delta),
        ),
        Misconception(
            "this is the chance that nothing fails; goodput is work over expected time",
            lambda tau, delta, R, M: np.exp(-(tau + delta) / M),
        ),
    ),
    otherwise="expected time of the first try, and by the chance that it fails, of all after it",
)


def _workers(rng):
    return [
        (float(rng.uniform(1, 9)), float(rng.uniform(2e4, 9e5)), int(rng.integers(8, 3000)))
        for _ in range(4)
    ]


def young_interval(delta, M, workers):
    """Young's interval for a job that fails as soon as one of its workers does."""
    return (2 * delta * M / workers) ** 0.5


YOUNG = FunctionCheck(
    Item("interval_formula", 1, "the interval by formula, for a job of many workers"),
    "young_interval",
    _workers,
    young_interval,
    (
        Misconception(
            "a job of N workers fails as soon as one of them does, N times as often as a worker",
            lambda delta, M, N: young_interval(delta, M, 1),
        ),
        Misconception(
            "with more workers the job fails more often and not less: divide by N",
            lambda delta, M, N: young_interval(delta, M, 1 / N),
        ),
        Misconception(
            "the factor 2 is missing: half of the work between two saves is lost",
            lambda delta, M, N: (delta * M / N) ** 0.5,
        ),
        Misconception(
            "the workers are under the root: N times as many failures save only the root of N "
            "times as often",
            lambda delta, M, N: young_interval(delta, M, 1) / N,
        ),
    ),
    otherwise="set the slope of delta/tau + tau/(2 M) to zero, with M of the whole job",
)


def _searches(rng):
    cases = []
    for share in (0.002, 0.1, 0.8, 3.0):
        M = float(rng.uniform(50, 3000))
        cases.append(
            (share * M * float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.1, 0.9)) * M, M)
        )
    return cases


def _daly(delta, R, M):
    xi = delta / (2 * M)
    tau = (2 * delta * M) ** 0.5 * (1 + xi**0.5 / 3 + xi / 9) - delta
    return tau if delta < 2 * M else M


SEARCH = FunctionCheck(
    Item("interval_search", 1, "the interval by search"),
    "best_interval",
    _searches,
    best_interval,
    (
        Misconception(
            "this is Young's interval, the first order; where a save takes as long as the time "
            "between failures, search on the exact law",
            lambda delta, R, M: (2 * delta * M) ** 0.5,
        ),
        Misconception(
            "this is Daly's series, which is good while delta is small beside M; search on the "
            "exact law",
            _daly,
        ),
        Misconception(
            "Young's interval cut off at M is not the best one either; search on the exact law",
            lambda delta, R, M: min(M, (2 * delta * M) ** 0.5),
        ),
        Misconception(
            "this is a goodput; the interval at which it is largest is asked for",
            lambda delta, R, M: float(goodput(best_interval(delta, R, M), delta, R, M)),
        ),
    ),
    otherwise=(
        "the goodput has one top, between 0 and M, and is flat around it: is the search fine "
        "enough there, and does it hold the smallest intervals too?"
    ),
    tolerance=5e-3,
    seconds=20.0,
)
