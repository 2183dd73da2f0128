"""Exercise 1: a law fitted to all but the largest N, and what it says of that one."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def fit_law(workers, rates):
    """Both, from the normal equations of relative misses; a = 0 where it would be negative."""
    a, b = _free(workers, rates)
    return np.array([a, b]) if a >= 0 else np.array([0.0, _through_nothing(workers, rates)])


def _free(workers, rates):
    x, y = rates, rates / workers  # the line a x + b y = 1, at each point
    xx, xy, yy = x @ x, x @ y, y @ y
    return np.linalg.solve([[xx, xy], [xy, yy]], [x.sum(), y.sum()])


def _through_nothing(workers, rates):
    y = rates / workers
    return y.sum() / (y @ y)


def _plain(workers, rates):
    """Absolute misses of the times, where large times count most."""
    columns = np.stack([np.ones(len(rates)), 1 / workers], axis=1)
    return np.linalg.lstsq(columns, 1 / rates, rcond=None)[0]


def _first_and_last(workers, rates):
    """The law through the smallest and the largest N alone."""
    ends = np.argsort(workers)[[0, -1]]
    return np.linalg.solve(np.stack([np.ones(2), 1 / workers[ends]], axis=1), 1 / rates[ends])


def _series(rng, a_of_b, points, scatter=0.04):
    """Workers and rates in any order, scattered about a law."""
    powers = np.sort(rng.choice(np.arange(1, 11), size=points, replace=False))
    workers = 2**powers * int(rng.integers(1, 4))
    b = float(rng.uniform(0.02, 0.2))
    law = a_of_b(b, workers) + b / workers
    rates = 1 / (law * np.exp(scatter * rng.normal(size=points)))
    order = rng.permutation(points)
    return workers[order], rates[order]


def _bending(b, workers):
    """A serial part of about half of the time at the largest N but one."""
    return b / np.sort(workers)[-2]


def _drawn(rng, wanted, a_of_b, count=6, scatter=0.04):
    """Cases whose best a, without a bound, has the wanted sign, clear of zero."""
    cases = []
    while len(cases) < count:
        case = _series(rng, a_of_b, 4 + len(cases) % 3, scatter)
        a, b = _free(*case)
        share = a / (a + b / case[0].max())
        if b > 0 and (0.05 < share < 0.95 if wanted > 0 else -0.6 < share < -0.02):
            cases.append(case)
    return cases


def _negative(rng):
    return _drawn(rng, -1, lambda b, workers: 0.0, scatter=0.07)


def _positive(rng):
    return _drawn(rng, 1, _bending)


_RELATIVE = (
    "a miss of so many seconds weighs most where the times are long, at few workers; relative "
    "misses are asked for: divide each line by its time"
)
_ALL = "a law through two points leaves the others out; all points count"

FIT = FunctionCheck(
    Item("law_fit", 1, "the law, where its undivided part is positive"),
    "fit_law",
    _positive,
    fit_law,
    (
        Misconception(_RELATIVE, _plain),
        Misconception(_ALL, _first_and_last),
        Misconception(
            "the first number is a, the undivided part, and the second is b",
            lambda N, X: fit_law(N, X)[::-1],
        ),
    ),
    otherwise="divide a + b / N by the measured time; what is left should be near 1 at every point",
    tolerance=1e-4,
)
BOUND = FunctionCheck(
    Item("law_bound", 1, "the law, where its undivided part would be negative"),
    "fit_law",
    _negative,
    fit_law,
    (
        Misconception(
            "a is negative here, and no part of a step takes less than no time",
            lambda N, X: _free(N, X),
        ),
        Misconception(
            "a is set to 0 and b kept from a fit with another a; with a = 0 another b is best",
            lambda N, X: np.array([0.0, _free(N, X)[1]]),
        ),
        Misconception(_RELATIVE, _plain),
        Misconception(_ALL, _first_and_last),
    ),
    otherwise="with a = 0 one unknown is left: choose b anew for the smallest sum",
    tolerance=1e-4,
)


def _without(workers, rates, place):
    return np.delete(workers, place), np.delete(rates, place)


def held_out(workers, rates):
    """Rate at the largest N by the law of the others."""
    last = workers.argmax()
    return _asked(fit_law(*_without(workers, rates, last)), workers[last])


def _asked(law, N):
    return 1 / (law[0] + law[1] / N)


def _seen_all(workers, rates):
    return _asked(fit_law(workers, rates), workers.max())


def _last_in_list(workers, rates):
    return _asked(fit_law(*_without(workers, rates, -1)), workers[-1])


def _unbounded(workers, rates):
    last = workers.argmax()
    return _asked(_free(*_without(workers, rates, last)), workers[last])


def _held(rng):
    """Both signs of a among the points that are seen, and the largest N not at the end."""
    cases = [*_drawn(rng, 1, _bending, 4), *_drawn(rng, -1, lambda b, N: 0.0, 4, 0.07)]
    found = []
    for workers, rates in cases:
        more = int(workers.max() * rng.choice([2, 4]))
        place = int(rng.integers(len(workers)))
        rate = _asked(fit_law(workers, rates), more) * float(np.exp(rng.uniform(0.05, 0.2)))
        found.append((np.insert(workers, place, more), np.insert(rates, place, rate)))
    return found


HELD_OUT = FunctionCheck(
    Item("law_held_out", 1, "the rate at the largest N"),
    "held_out",
    _held,
    held_out,
    (
        Misconception(
            "the law has seen the point that it is asked for: leave the largest N out of the fit",
            _seen_all,
        ),
        Misconception(
            "the points come in any order: the largest N is not always the last", _last_in_list
        ),
        Misconception("the law of the seen points has a negative a here", _unbounded),
        Misconception(
            "this is the time of a sample; the rate is asked for", lambda N, X: 1 / held_out(N, X)
        ),
    ),
    otherwise="fit_law without the largest N, and 1 / (a + b / N) at it",
    tolerance=1e-4,
)


def errors(workers, rates):
    """Errors of the law and of the kept efficiency."""
    return np.array([held_out(workers, rates), _kept(workers, rates)]) / rates[workers.argmax()] - 1


def _kept(workers, rates, place=-2):
    order = np.argsort(workers)
    return rates[order[place]] / workers[order[place]] * workers[order[-1]]


def _errors_of_times(workers, rates):
    return 1 / (1 + errors(workers, rates)) - 1


def _from_the_first(workers, rates):
    return (
        np.array([held_out(workers, rates), _kept(workers, rates, 0)]) / rates[workers.argmax()] - 1
    )


ERRORS = FunctionCheck(
    Item("law_errors", 1, "both errors"),
    "errors",
    _held,
    errors,
    (
        Misconception(
            "errors of the times; predicted over measured throughput is asked for", _errors_of_times
        ),
        Misconception(
            "the baseline keeps the efficiency of the last point seen, not of the smallest N",
            _from_the_first,
        ),
        Misconception(
            "a guess that is too low has a negative error", lambda N, X: np.abs(errors(N, X))
        ),
        Misconception(
            "the error is a share of the measured value, not of the predicted one",
            lambda N, X: 1 - 1 / (1 + errors(N, X)),
        ),
        Misconception("first the law, then the baseline", lambda N, X: errors(N, X)[::-1]),
    ),
    otherwise="predicted over measured, less 1: of the law, and of the kept throughput per worker",
    tolerance=1e-4,
)
