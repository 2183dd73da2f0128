"""Exercise 3: Hill and Marty's three chips, and the best core on each."""

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception


def chip_speedup(design, serial_fraction, units, core):
    """Serial work on the one large core, parallel work on all there is."""
    s, n, r = serial_fraction, units, np.asarray(core, dtype=float)
    fast = np.sqrt(r)
    together = {"symmetric": n / r * fast, "asymmetric": fast + n - r, "dynamic": n + 0 * r}
    return 1 / (s / fast + (1 - s) / together[design])


def best_core(design, serial_fractions, units):
    """Units of the best core for each s, the smallest of equals; whole cores on a symmetric one."""
    cores = np.arange(1, units + 1)
    if design == "symmetric":
        cores = cores[units % cores == 0]
    return [int(cores[np.argmax(chip_speedup(design, s, units, cores))]) for s in serial_fractions]


def best_for_mix(serial_fractions, weights, units):
    """Core of an asymmetric chip with the least time for a mix of programs."""
    cores = np.arange(1, units + 1)
    pairs = zip(serial_fractions, weights, strict=True)
    return int(
        cores[np.argmin(sum(w / chip_speedup("asymmetric", s, units, cores) for s, w in pairs))]
    )


DESIGNS = ("symmetric", "asymmetric", "dynamic")


def _designs(rng):
    cases = []
    for design in DESIGNS:
        units = int(rng.choice([36, 64, 144, 256]))
        s = float(rng.uniform(0.01, 0.4))
        cases.append((design, s, units, int(rng.integers(2, units // 2))))
        cores = np.sort(rng.choice(np.arange(1, units), size=5, replace=False)).astype(float)
        cases.append((design, float(rng.uniform(0.01, 0.4)), units, cores))
    return cases


def _by(fast, together):
    def mistake(design, s, n, r):
        r = np.asarray(r, dtype=float)
        return 1 / (s / fast(r) + (1 - s) / together(design, n, r))

    return mistake


def _right(design, n, r):
    fast = np.sqrt(r)
    return {"symmetric": n / r * fast, "asymmetric": fast + n - r, "dynamic": n + 0 * r}[design]


def _other(name, instead):
    return _by(
        np.sqrt, lambda design, n, r: instead(n, r) if design == name else _right(design, n, r)
    )


SPEEDUP = FunctionCheck(
    Item("chip_speedup", 1, "speedups of three kinds of chip"),
    "chip_speedup",
    _designs,
    chip_speedup,
    (
        Misconception(
            "a core of r units is only sqrt(r) times as fast as a core of one",
            _by(lambda r: r, lambda d, n, r: {"symmetric": n, "asymmetric": n}.get(d, n) + 0 * r),
        ),
        Misconception(
            "on an asymmetric chip the large core helps in the parallel part too",
            _other("asymmetric", lambda n, r: n - r),
        ),
        Misconception(
            "the large core takes up r of the n units: n - r small ones are left",
            _other("asymmetric", lambda n, r: n + np.sqrt(r)),
        ),
        Misconception(
            "on a symmetric chip each of the n / r cores is as fast as sqrt(r)",
            _other("symmetric", lambda n, r: n / r),
        ),
        Misconception(
            "on a dynamic chip all n units do parallel work, as cores of one unit",
            _other("dynamic", lambda n, r: np.sqrt(r) + n - r),
        ),
        Misconception(
            "the serial part runs on the large core, sqrt(r) times as fast as on a small one",
            _by(lambda r: 1.0 + 0 * r, _right),
        ),
    ),
    otherwise="for each chip: how fast does the serial part run, and how fast the parallel one?",
)


def _best(rng):
    cases = []
    for design in DESIGNS:
        for units in rng.choice([48, 60, 96, 144, 240], size=2, replace=False):
            cases.append((design, _fractions(rng, 5), int(units)))
    # Where a core that does not divide the chip would be the best, if it were allowed.
    while True:
        case = ("symmetric", _fractions(rng, 5), 60)
        if _any_core(*case) != best_core(*case):
            return [*cases, case]


def _fractions(rng, count):
    return np.sort(np.exp(rng.uniform(np.log(0.003), np.log(0.4), size=count)))


def _any_core(design, fractions, units):
    cores = np.arange(1, units + 1)
    return [int(cores[np.argmax(chip_speedup(design, s, units, cores))]) for s in fractions]


def _best_speedup(design, fractions, units):
    best = best_core(design, fractions, units)
    return [float(chip_speedup(design, s, units, r)) for s, r in zip(fractions, best, strict=True)]


def _powers(design, fractions, units):
    cores = 2 ** np.arange(int(np.log2(units)) + 1)
    return [int(cores[np.argmax(chip_speedup(design, s, units, cores))]) for s in fractions]


BEST_CORE = FunctionCheck(
    Item("best_core", 1, "the core with which a chip is fastest"),
    "best_core",
    _best,
    best_core,
    (
        Misconception("on a symmetric chip r has to divide n, or a core is cut through", _any_core),
        Misconception(
            "this is the highest speedup; the core with which it is reached is asked for",
            _best_speedup,
        ),
        Misconception("try every whole number of units, not the powers of two alone", _powers),
        Misconception(
            "this is the place in the list of cores; the first core has one unit",
            lambda design, fractions, units: [r - 1 for r in _any_core(design, fractions, units)],
        ),
    ),
    otherwise="try every core that is allowed and keep the one with the highest speedup",
)


def _mixes(rng):
    cases = []
    while len(cases) < 3:
        units = int(rng.choice([64, 128, 256]))
        fractions = [float(rng.uniform(0.2, 0.5)), *rng.uniform(0.001, 0.05, size=2).tolist()]
        weights = rng.dirichlet([2.0, 2.0, 2.0]).tolist()
        case = (fractions, weights, units)
        answers = [best_for_mix(*case), *(mistake(*case) for mistake in _MIXED)]
        if len(set(answers)) == len(answers):
            cases.append(case)
    return cases


def _mean_speedup(fractions, weights, units):
    cores = np.arange(1, units + 1)
    pairs = zip(fractions, weights, strict=True)
    return int(
        cores[np.argmax(sum(w * chip_speedup("asymmetric", s, units, cores) for s, w in pairs))]
    )


def _unweighted(fractions, weights, units):
    return best_for_mix(fractions, [1.0] * len(fractions), units)


def _mean_of_best(fractions, weights, units):
    return float(np.dot(weights, best_core("asymmetric", fractions, units)))


_MIXED = (_mean_speedup, _unweighted, _mean_of_best)
MIX = FunctionCheck(
    Item("best_for_mix", 1, "the best core for a mix of programs"),
    "best_for_mix",
    _mixes,
    best_for_mix,
    (
        Misconception(
            "a mean of speedups is no time: add up what each program takes, and compare the sums",
            _mean_speedup,
        ),
        Misconception(
            "programs count by their weights: what takes most of the time matters most",
            _unweighted,
        ),
        Misconception(
            "a mean of the best cores is the best for none: compare the time of the whole mix",
            _mean_of_best,
        ),
        Misconception(
            "a mean of the best cores is the best for none: compare the time of the whole mix",
            lambda *case: round(_mean_of_best(*case)),
        ),
    ),
)
