"""Exercise 2: a loss of efficiency, split, and the batch with which training is soonest."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def factors(workers, seconds, samples):
    """Efficiency, machine, optimiser: the machine's from the throughput itself."""
    more = workers[1:] / workers[0]
    rates = samples / seconds
    machine, optimiser = rates[1:] / rates[0] / more, samples[0] / samples[1:]
    return np.column_stack([machine * optimiser, machine, optimiser])


def _series(rng, count=5):
    """A series that loses to both, more and more."""
    workers = int(rng.integers(2, 9)) * np.cumprod([1, *rng.integers(2, 5, size=count - 1)])
    samples = 1e6 * rng.uniform(0.5, 5) * np.cumprod([1, *rng.uniform(1.05, 1.5, size=count - 1)])
    lost = np.cumprod([1, *rng.uniform(0.7, 0.95, size=count - 1)])
    rates = rng.uniform(100, 1000) * workers * lost
    return workers, samples / rates, samples


def _some(rng):
    return [_series(rng, count) for count in (2, 3, 4, 5)]


def _gained(workers, seconds, samples):
    """Speedup in the place of efficiency."""
    found = factors(workers, seconds, samples)
    found[:, :2] *= (workers[1:] / workers[0])[:, None]
    return found


FACTORS = FunctionCheck(
    Item("split_factors", 1, "efficiency and its two factors"),
    "factors",
    _some,
    factors,
    (
        Misconception("these are speedups; an efficiency is one over N / N0, not over 1", _gained),
        Misconception(
            "efficiency over N workers counts from one worker; here the smallest N is what all is "
            "set against",
            lambda N, T, D: factors(N, T, D) / np.array([N[0], N[0], 1]),
        ),
        Misconception(
            "more samples are a loss: the optimiser's factor is D0 / D",
            lambda N, T, D: factors(N, T, D) ** [1, 1, -1],
        ),
        Misconception(
            "a row for each N above the smallest; the smallest itself is left out",
            lambda N, T, D: np.concatenate([np.ones((1, 3)), factors(N, T, D)]),
        ),
        Misconception(
            "a row for each N, a column for each factor", lambda N, T, D: factors(N, T, D).T
        ),
        Misconception(
            "the throughput is samples over seconds: the machine's factor is not that of the time",
            lambda N, T, D: factors(N, T, D)[:, [0, 0, 2]],
        ),
    ),
    otherwise="the product of the machine's factor and the optimiser's must be the efficiency",
)


def machine_share(workers, seconds, samples):
    """Share of the logarithm."""
    whole, machine, _ = np.log(factors(workers, seconds, samples)).T
    return machine / whole


def _of_differences(workers, seconds, samples):
    _, machine, optimiser = factors(workers, seconds, samples).T
    return (1 - machine) / (2 - machine - optimiser)


def _of_whole(workers, seconds, samples):
    whole, machine, _ = factors(workers, seconds, samples).T
    return (1 - machine) / (1 - whole)


SHARE = FunctionCheck(
    Item("split_share", 1, "the machine's share of the loss"),
    "machine_share",
    _some,
    machine_share,
    (
        Misconception(
            "losses 1 - E do not add up to the whole loss; logarithms do", _of_differences
        ),
        Misconception(
            "1 - E of the machine over 1 - E of all: with it the two shares come to more than one",
            _of_whole,
        ),
        Misconception("this is the optimiser's share", lambda N, T, D: 1 - machine_share(N, T, D)),
        Misconception(
            "a quotient of efficiencies is no share; take their logarithms first",
            lambda N, T, D: factors(N, T, D)[:, 1] / factors(N, T, D)[:, 0],
        ),
    ),
    otherwise="the logarithm of the machine's factor over the logarithm of the efficiency",
)


def turning_point(workers, seconds, samples):
    """First N at which less than half is the machine's."""
    return _first(workers, machine_share(workers, seconds, samples) < 0.5)


def _first(workers, turned, none=-1):
    return int(workers[1:][turned][0]) if turned.any() else none


def _turning(rng):
    """Series that turn at the second, at a later or at no N, and some that turn back."""
    cases, places = [], set()
    while len(cases) < 12:
        workers, _, _ = _series(rng)
        share = rng.uniform(0.2, 0.8, size=4)
        if np.abs(share - 0.5).min() < 0.05:
            continue
        place = int(np.argmax(share < 0.5)) if (share < 0.5).any() else -1
        if len(cases) < 8 and place in places and places != {-1, 0, 1, 2, 3}:
            continue
        places.add(place)
        whole = np.exp(-rng.uniform(0.2, 2, size=4))
        samples = 1e6 * np.concatenate([[1], whole ** -(1 - share)])
        seconds = 1e4 / np.concatenate([[1], whole * workers[1:] / workers[0]])
        cases.append((workers, seconds, samples))
    return cases


TURNING = FunctionCheck(
    Item("split_turning", 1, "the N at which the optimiser loses more"),
    "turning_point",
    _turning,
    turning_point,
    (
        Misconception(
            "this is where the machine loses more; the optimiser's share is what is left of one",
            lambda N, T, D: _first(N, machine_share(N, T, D) > 0.5),
        ),
        Misconception(
            "the place in the list is not the number of workers",
            lambda N, T, D: (
                int(np.flatnonzero(machine_share(N, T, D) < 0.5)[0]) + 1
                if (machine_share(N, T, D) < 0.5).any()
                else -1
            ),
        ),
        Misconception(
            "the smallest N is asked for, not the largest",
            lambda N, T, D: _last(N, T, D),
        ),
        Misconception(
            "where the optimiser never loses more, return -1",
            lambda N, T, D: _first(N, machine_share(N, T, D) < 0.5, none=None),
        ),
        Misconception(
            "losses 1 - E weigh the smaller factor too little: compare shares of the logarithm",
            lambda N, T, D: _first(N, _of_whole(N, T, D) < 0.5),
        ),
    ),
    otherwise="the first N, from below, with a machine's share under one half",
)


def _last(workers, seconds, samples):
    turned = machine_share(workers, seconds, samples) < 0.5
    return int(workers[1:][turned][-1]) if turned.any() else -1


def best_batch(workers, h, critical, most):
    """The better of the two multiples beside sqrt(N h B_c), within the bounds."""
    ideal = np.sqrt(h * critical / workers)
    near = np.clip([np.floor(ideal), np.floor(ideal) + 1], 1, most)
    batches = workers * near
    return int(batches[np.argmin((1 + batches / critical) * (1 / workers + h / batches))])


def _batches(rng):
    """Batches inside, at both bounds, and some where rounding is not enough."""
    cases = []
    for each in (30, 60, 3, 5, 0.3, 200, 2, 1):
        workers = int(rng.integers(3, 300))
        ideal = each * float(rng.uniform(0.9, 1.1))
        h = float(rng.uniform(0.5, 30))
        cases.append((workers, h, ideal**2 * workers / h, 100))
    # Between k and k + 1 the two are equally good at sqrt(k (k + 1)), below the middle.
    for k in (1, 2):
        workers, h = int(rng.integers(3, 300)), float(rng.uniform(0.5, 30))
        ideal = (np.sqrt(k * (k + 1)) + k + 0.5) / 2
        cases.append((workers, h, float(ideal**2 * workers / h), 100))
    return cases


def _rounded(workers, h, critical, most):
    return int(workers * np.clip(np.round(np.sqrt(h * critical / workers)), 1, most))


BATCH = FunctionCheck(
    Item("split_batch", 1, "the batch with which training is soonest"),
    "best_batch",
    _batches,
    best_batch,
    (
        Misconception(
            "the nearest multiple is not always the best: compare the times on both sides",
            _rounded,
        ),
        Misconception(
            "the batch is a multiple of the workers",
            lambda N, h, c, most: int(np.clip(np.round(np.sqrt(N * h * c)), 1, most * N)),
        ),
        Misconception(
            "memory has an end: no worker holds more than `most` samples",
            lambda N, h, c, most: best_batch(N, h, c, 10**9),
        ),
        Misconception(
            "these are the samples of one worker; the batch is that of all",
            lambda N, h, c, most: best_batch(N, h, c, most) // N,
        ),
        Misconception(
            "the largest batch has the highest throughput; but it needs more samples",
            lambda N, h, c, most: N * most,
        ),
    ),
    otherwise="among the multiples of N up to `most` for each, the one with the smallest product",
)
