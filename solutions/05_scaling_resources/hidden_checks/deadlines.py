"""Exercise 5: hours of a job with its exchanges and its failures, and what meets a deadline."""

import math

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def running_hours(workers, work, serial, exchange):
    """Hours without failures: Amdahl's two parts, and the share of a ring that N workers take."""
    N = workers
    return work * serial + work * (1 - serial) / N + exchange * (N - 1) / N


def wall_hours(running, workers, between, lost):
    """Hours until a job is done that loses N lost/between of them; infinite where that is all."""
    kept = 1 - workers * lost / between
    return running / kept if kept > 0 else math.inf


def fastest(work, serial, exchange, between, lost, most):
    """Number of workers, up to `most`, with the fewest hours."""
    return 1 + int(np.argmin(_hours(work, serial, exchange, between, lost, most)))


def cheapest(offers, work, serial, exchange, lost, deadline, most):
    """Place of the offer and number of workers with the lowest price in time, or None."""
    best, lowest = None, math.inf
    for place, (speed, price, between) in enumerate(offers):
        for N in range(1, most + 1):
            running = running_hours(N, work / speed, serial, exchange)
            hours = wall_hours(running, N, between, lost)
            if hours <= deadline and N * hours * price < lowest:
                best, lowest = [place, N], N * hours * price
    return best


def _hours(work, serial, exchange, between, lost, most):
    """Hours for 1 to `most` workers."""
    N = np.arange(1, most + 1)
    share = N * lost / between
    running = running_hours(N, work, serial, exchange)
    with np.errstate(all="ignore"):
        return np.where(share < 1, running / (1 - share), np.inf)


def _runs(rng):
    return [
        (
            int(rng.integers(2, 200)),
            float(rng.uniform(100, 900)),
            float(rng.uniform(0.001, 0.1)),
            float(rng.uniform(1, 20)),
        )
        for _ in range(4)
    ]


RUNNING = FunctionCheck(
    Item("plan_running", 1, "hours without failures"),
    "running_hours",
    _runs,
    running_hours,
    (
        Misconception(
            "N workers exchange too: a share (N - 1)/N of the hours of very many",
            lambda N, work, s, exchange: running_hours(N, work, s, 0),
        ),
        Misconception(
            "few workers exchange less: the share (N - 1)/N is missing",
            lambda N, work, s, exchange: running_hours(N, work, s, 0) + exchange,
        ),
        Misconception(
            "the serial share of the work is not divided by N",
            lambda N, work, s, exchange: running_hours(N, work, 0, exchange),
        ),
        Misconception(
            "all N workers exchange at the same time: their hours do not add up",
            lambda N, work, s, exchange: running_hours(N, work, s, 0) + exchange * (N - 1),
        ),
    ),
    otherwise="the serial share, what is divided, and (N - 1)/N of the exchange",
)


def _failing(rng):
    cases = []
    for share in (0.05, 0.3, 0.8, 1.4):
        N, lost = int(rng.integers(4, 60)), float(rng.uniform(0.1, 0.9))
        between = N * lost / (share * float(rng.uniform(0.9, 1.1)))
        cases.append((float(rng.uniform(5, 50)), N, between, lost))
    return cases


def _or_never(answer):
    """A mistaken number of hours, where the job does end."""
    return lambda running, N, between, lost: (
        math.inf if N * lost >= between else answer(running, N * lost / between)
    )


WALL = FunctionCheck(
    Item("plan_wall", 1, "hours with failures"),
    "wall_hours",
    _failing,
    wall_hours,
    (
        Misconception(
            "the time that is lost is time too, in which workers fail again: running hours are "
            "what is left of the hours on the wall",
            _or_never(lambda running, share: running * (1 + share)),
        ),
        Misconception(
            "the time that is lost is time too, in which workers fail again: running hours are "
            "what is left of the hours on the wall",
            lambda running, N, between, lost: running * (1 + N * lost / between),
        ),
        Misconception(
            "a job that loses all of its time or more never ends: math.inf",
            lambda running, N, between, lost: running / (1 - N * lost / between),
        ),
        Misconception(
            "N workers fail N times as often as one",
            lambda running, N, between, lost: wall_hours(running, 1, between, lost),
        ),
        Misconception(
            "this is the time that is lost; the running hours are to be added",
            _or_never(lambda running, share: running / (1 - share) - running),
        ),
    ),
    otherwise="of each hour on the wall, N lost/between is lost",
)


def _jobs(rng):
    cases = []
    while len(cases) < 4:
        most = int(rng.integers(60, 200))
        work, s = float(rng.uniform(100, 900)), float(rng.uniform(0.001, 0.02))
        exchange, lost = float(rng.uniform(1, 5)), float(rng.uniform(0.1, 0.9))
        between = lost * most * float(rng.uniform(1.05, 3))
        case = (work, s, exchange, between, lost, most)
        # One case where the most workers are the fastest; the others have their best in between,
        # and another one where workers do not fail in the time that failures take.
        if len(cases) < 3 and fastest(*case) < _lenient(*case) < most:
            cases.append(case)
        elif len(cases) == 3:  # few failures
            case = (work, s, exchange, 40 * between, lost, 20)
            if fastest(*case) == 20:
                cases.append(case)
    return cases


def _lenient(work, serial, exchange, between, lost, most):
    N = np.arange(1, most + 1)
    hours = running_hours(N, work, serial, exchange) * (1 + N * lost / between)
    return 1 + int(np.argmin(hours))


FASTEST = FunctionCheck(
    Item("plan_fastest", 1, "the number of workers that ends first"),
    "fastest",
    _jobs,
    fastest,
    (
        Misconception(
            "more workers fail more often: the last ones can cost more time than they save",
            lambda work, s, exchange, between, lost, most: most,
        ),
        Misconception(
            "this is the place in a list that begins with 0; the number of workers is asked for",
            lambda *case: fastest(*case) - 1,
        ),
        Misconception(
            "these are the fewest hours; the number of workers that has them is asked for",
            lambda *case: float(_hours(*case).min()),
        ),
        Misconception(
            "the price N times the hours is lowest here; the fewest hours are asked for",
            lambda *case: 1 + int(np.argmin(_hours(*case) * np.arange(1, case[-1] + 1))),
        ),
        Misconception("workers also fail in the time that failures take", _lenient),
    ),
    otherwise="work out wall_hours of running_hours for 1 to most workers, and take the least",
)


def _prices(case, failures=True):
    """Hours and price of each offer and number of workers, shape (offers, most)."""
    offers, work, s, exchange, lost, _, most = case
    lost = lost if failures else 0.0
    hours = np.array([_hours(work / speed, s, exchange, M, lost, most) for speed, _, M in offers])
    with np.errstate(all="ignore"):
        return hours, hours * np.arange(1, most + 1) * np.array(offers)[:, 1, None]


def _least(values, allowed):
    values = np.where(allowed, values, np.inf)
    if not np.isfinite(values).any():
        return None
    place, N = np.unravel_index(np.argmin(values), values.shape)
    return [int(place), int(N) + 1]


def _in_time(case):
    return _prices(case)[0] <= case[5]


def _quickest(*case):
    return _least(_prices(case)[0], _in_time(case))


def _without_failures(*case):
    hours, price = _prices(case, failures=False)
    return _least(price, hours <= case[5])


def _any_time(*case):
    return _least(_prices(case)[1], True)


def _lowest_rate(*case):
    offers, *rest = case
    place = int(np.argmin(np.array(offers)[:, 1]))
    found = cheapest([offers[place]], *rest)
    return [place, case[6] if found is None else found[1]]


def _slow_machines(*case):
    offers, *rest = case
    return cheapest([[1.0, price, between] for _, price, between in offers], *rest)


def _unpaid_workers(*case):
    hours, price = _prices(case)
    return _least(price / np.arange(1, case[6] + 1), hours <= case[5])


MISTAKEN = (
    (_quickest, "this one ends first; among those that end in time, the cheapest is asked for"),
    (
        _without_failures,
        "a cheap worker may fail often: count the hours with failures, both for the deadline and "
        "for the price",
    ),
    (_any_time, "this is the cheapest of all, but it is not done by the deadline"),
    (
        _lowest_rate,
        "a low price for an hour is not a low price for the job: try every offer",
    ),
    (_slow_machines, "a machine of speed 2 takes half of the hours for the work: divide by speed"),
    (_unpaid_workers, "each worker is paid for all of the hours: the price grows with N too"),
)


def _told_apart(cases):
    """Whether no two mistakes give the same answers."""
    return len({str([mistake(*case) for case in cases]) for mistake, _ in MISTAKEN}) == len(
        MISTAKEN
    )


def _markets(rng):
    """Jobs on three kinds of machine; the last can't be done in time."""
    cases = []
    while len(cases) < 4:
        if len(cases) == 3 and not _told_apart(cases):
            cases.clear()
        work, s = float(rng.uniform(200, 600)), float(rng.uniform(0.002, 0.02))
        exchange, lost = float(rng.uniform(1, 4)), float(rng.uniform(0.2, 0.8))
        speed, most = float(rng.uniform(1.5, 3)), 40
        offers = np.array(
            [
                [1.0, rng.uniform(0.9, 1.1), rng.uniform(2000, 5000)],
                [1.0, rng.uniform(0.25, 0.6), lost * rng.uniform(25, 60)],
                [speed, rng.uniform(0.8, 1.3) * speed, rng.uniform(2000, 5000)],
            ]
        )
        least = _prices((offers, work, s, exchange, lost, 0.0, most))[0].min()
        deadline = least * float(rng.uniform(1.2, 3) if len(cases) < 3 else rng.uniform(0.8, 0.97))
        case = (offers, work, s, exchange, lost, deadline, most)
        right = cheapest(*case)
        wrong = [right != mistake(*case) for mistake, _ in MISTAKEN]
        # Each mistake shows in one case or another: the last two are the hardest to come by.
        needed = ([0, 2, 4, 5], [0, 1, 2], [3, 2, 4])
        if len(cases) == 3 or all(wrong[k] for k in needed[len(cases)]):
            cases.append(case)
    return cases


CHEAPEST = FunctionCheck(
    Item("plan_cheapest", 1, "the cheapest plan that meets a deadline, or none"),
    "cheapest",
    _markets,
    cheapest,
    (
        *(Misconception(hint, mistake) for mistake, hint in MISTAKEN),
        Misconception(
            "where nothing ends in time, return None: a plan that is late is no plan",
            lambda *case: cheapest(*case) or _least(_prices(case)[0], True),
        ),
        Misconception(
            "where nothing ends in time, return None",
            lambda *case: cheapest(*case) or -1,
        ),
        Misconception(
            "return the place of the offer first, then the number of workers",
            lambda *case: None if (found := cheapest(*case)) is None else found[::-1],
        ),
    ),
    otherwise="for every offer and every N: are the hours within the deadline, and what is paid?",
    seconds=20.0,
)
