"""Exercise 2: exponents from measured sweeps."""

import math

import numpy as np
from scipy import stats

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def slopes(sizes, seconds):
    """Slope of log time over log size, for each round."""
    x = np.log(sizes) - np.log(sizes).mean()
    return np.log(seconds) @ x / (x @ x)


def exponent(sizes, seconds):
    """Mean of the rounds' slopes."""
    return float(slopes(sizes, seconds).mean())


def _half(values, factor):
    return factor * values.std(ddof=1) / math.sqrt(values.size)


def interval(sizes, seconds):
    """Student's t interval of the mean slope."""
    values = slopes(sizes, seconds)
    half = _half(values, stats.t.ppf(0.975, values.size - 1))
    return [values.mean() - half, values.mean() + half]


def reading(sizes, seconds):
    """Which of the exponents 1 and 2 the interval holds."""
    low, high = interval(sizes, seconds)
    holds = (low <= 1 <= high, low <= 2 <= high)
    return {(True, False): "linear", (False, True): "quadratic", (True, True): "open"}.get(
        holds, "neither"
    )


def sweep(rng, power, rounds, noise, drift=0.4):
    """Times of one sweep, shape (rounds, sizes), each round with a speed of its own."""
    sizes = 2.0 ** np.arange(4, 4 + int(rng.integers(4, 7)))
    logs = power * np.log(sizes) + rng.normal(0, drift, size=(rounds, 1))
    return sizes, 1e-5 * np.exp(logs + rng.normal(0, noise, size=(rounds, sizes.size)))


def _sweeps(rng):
    return [
        sweep(rng, float(rng.uniform(0.8, 2.2)), int(rounds), 0.05)
        for rounds in rng.permutation([4, 5, 6, 8])
    ]


def _polynomial(x, y):
    return float(np.polyfit(x, y, 1)[0])


ESTIMATE = FunctionCheck(
    Item("exponent", 1, "exponent of a sweep"),
    "exponent",
    _sweeps,
    exponent,
    (
        Misconception(
            "this is a slope in seconds per unit of size; a power is a straight line only where "
            "both axes are logarithmic",
            lambda x, t: _polynomial(x, t.mean(axis=0)),
        ),
        Misconception(
            "only the times are in logarithms; for a power both axes must be",
            lambda x, t: _polynomial(x, np.log(t).mean(axis=0)),
        ),
        Misconception(
            "the axes are exchanged: how fast does the time grow with the size?",
            lambda x, t: float(
                np.mean([_polynomial(np.log(one), np.log(x)) for one in t]),
            ),
        ),
        Misconception(
            "the smallest and the largest size alone leave out what the others say",
            lambda x, t: float(np.mean(np.log(t[:, -1] / t[:, 0])) / np.log(x[-1] / x[0])),
        ),
        Misconception(
            "the mean of the times is ruled by the slowest rounds; take logarithms first, fit "
            "each round, then take the mean",
            lambda x, t: _polynomial(np.log(x), np.log(t.mean(axis=0))),
        ),
    ),
    otherwise="the hidden sweeps give other exponents: fit a straight line to the logarithms of "
    "each round, then take the mean of the slopes",
)


def _around(factor, *, ddof=1, root=True):
    def answer(sizes, seconds):
        values = slopes(sizes, seconds)
        half = factor(values.size) * values.std(ddof=ddof) / (values.size**0.5 if root else 1)
        return [values.mean() - half, values.mean() + half]

    return answer


def _student(rounds):
    return stats.t.ppf(0.975, rounds - 1)


def _pooled(sizes, seconds):
    x, y = np.tile(np.log(sizes), len(seconds)), np.log(seconds).ravel()
    fit = stats.linregress(x, y)
    half = stats.t.ppf(0.975, x.size - 2) * fit.stderr
    return [fit.slope - half, fit.slope + half]


def _range(sizes, seconds):
    values = slopes(sizes, seconds)
    return [values.min(), values.max()]


def _percentiles(sizes, seconds):
    return np.percentile(slopes(sizes, seconds), [2.5, 97.5])


INTERVAL = FunctionCheck(
    Item("exponent_interval", 1, "interval of the exponent"),
    "exponent_interval",
    _sweeps,
    interval,
    (
        Misconception(
            "1.96 is for very many rounds; with a few of them Student's t is larger",
            _around(lambda rounds: stats.norm.ppf(0.975)),
        ),
        Misconception(
            "1.96 is for very many rounds; with a few of them Student's t is larger",
            _around(lambda rounds: 1.96),
        ),
        Misconception(
            "this is where a single round falls; the mean of R rounds is closer by sqrt(R)",
            _around(_student, root=False),
        ),
        Misconception(
            "the spread of a sample is divided by R - 1: numpy's std does that with ddof=1",
            _around(_student, ddof=0),
        ),
        Misconception(
            "all points in one fit take the drift from round to round for noise; the round is "
            "what was repeated, so fit each round by itself",
            _pooled,
        ),
        Misconception(
            "the extremes of the rounds widen with every round that you add; an interval for the "
            "mean has to shrink",
            _range,
        ),
        Misconception(
            "percentiles of so few slopes are little more than their extremes; use Student's t",
            _percentiles,
        ),
    ),
    otherwise="the hidden sweeps give another interval: mean of the slopes plus and minus t times "
    "their spread over sqrt(R), with R - 1 degrees of freedom",
)

# Power, rounds and noise. One sweep is close to linear, and its times exclude that all the same.
_KINDS = (
    ("linear", 1.0, 6, 0.03),
    ("quadratic", 2.0, 6, 0.03),
    ("linear", 1.0, 5, 0.1),
    ("neither", 1.5, 6, 0.03),
    ("neither", 1.15, 6, 0.02),
    ("open", 1.45, 3, 0.8),
    ("open", 1.6, 3, 0.8),
)


def _readings(rng):
    """Sweeps of every kind, with ends well away from 1 and 2."""
    cases = []
    for kind, power, rounds, noise in _KINDS:
        while True:
            case = sweep(rng, power, rounds, noise)
            ends = np.subtract.outer(interval(*case), [1, 2])
            if reading(*case) == kind and np.abs(ends).min() > 0.01:
                break
        cases.append(case)
    return cases


def _nearest(sizes, seconds):
    return "linear" if exponent(sizes, seconds) < 1.5 else "quadratic"


def _never_open(sizes, seconds):
    right = reading(sizes, seconds)
    return _nearest(sizes, seconds) if right == "open" else right


def _close_enough(sizes, seconds):
    value = exponent(sizes, seconds)
    return (
        "linear" if abs(value - 1) < 0.25 else "quadratic" if abs(value - 2) < 0.25 else "neither"
    )


READING = FunctionCheck(
    Item("reading", 1, "linear or quadratic, as far as the times can tell"),
    "reading",
    _readings,
    reading,
    (
        Misconception(
            "the nearest whole number is always found, also where the times exclude it or can't "
            "tell: look at the interval",
            _nearest,
        ),
        Misconception(
            "where the interval holds both 1 and 2 the times can't tell, and the answer is open",
            _never_open,
        ),
        Misconception(
            "how close is close enough depends on the noise: the interval knows it, a fixed "
            "distance does not",
            _close_enough,
        ),
        Misconception(
            "an interval that holds neither 1 nor 2 is not open: the times exclude both",
            lambda x, t: "open" if reading(x, t) == "neither" else reading(x, t),
        ),
    ),
    otherwise="some hidden sweeps are read otherwise; is your interval right?",
)


def local_exponent(sequence, features):
    """Slope of log FLOPs over log sequence: both terms, weighed by their share."""
    return 2 * (features + sequence) / (2 * features + sequence)


def _sequences(rng):
    pairs = [rng.integers(16, 4096, size=2).tolist() for _ in range(5)]
    return [*pairs, (1, 4096), (100_000, 64)]


LOCAL = FunctionCheck(
    Item("local_exponent", 1, "exponent of attention at one length"),
    "local_exponent",
    _sequences,
    local_exponent,
    (
        Misconception("2 is the limit for very long sequences only", lambda n, f: 2.0),
        Misconception(
            "this is the share of the quadratic part; the linear part has an exponent as well",
            lambda n, f: n / (2 * f + n),
        ),
        Misconception(
            "this is a slope in FLOPs per place; an exponent has no unit: multiply it with "
            "sequence / FLOPs",
            lambda n, f: 8.0 * f * f + 8.0 * n * f,
        ),
        Misconception(
            "log FLOPs over log sequence is the slope of a line from the origin, not the slope at "
            "this point",
            lambda n, f: (
                math.log(8.0 * n * f * f + 4.0 * n * n * f) / math.log(n) if n > 1 else math.inf
            ),
        ),
        Misconception(
            "it does not jump from 1 to 2: near sequence = 2 features both parts count",
            lambda n, f: 1.0 if n < 2 * f else 2.0,
        ),
    ),
    otherwise="the hidden lengths give other exponents: weigh the exponents 1 and 2 by the shares "
    "of the two parts",
    tolerance=1e-5,
)
