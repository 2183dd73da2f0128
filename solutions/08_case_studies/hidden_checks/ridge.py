"""Exercise 5: pairs that explain a few rates alike, and how many ranges should hold."""

from itertools import product

import numpy as np

from amdahl_lab.grading.items import FunctionCheck, Item, Misconception

LEVEL = 5.99


def _shape(workers, sigma, kappa):
    return workers / (1 + sigma * (workers - 1) + kappa * workers * (workers - 1))


def misfit(workers, rates, sigma, kappa):
    """Variance times the number of points."""
    return len(rates) * float(np.var(np.log(rates / _shape(workers, sigma, kappa))))


def _rates(rng, points):
    """Rates of a law of the right size for these N, scattered by three percent."""
    workers = int(rng.integers(1, 5)) * 4 ** np.arange(points)
    most = workers.max()
    sigma, kappa = rng.uniform(0.3, 1) / most, rng.uniform(0.3, 1) / most**2
    scatter = np.exp(0.03 * rng.normal(size=points))
    return workers, rng.uniform(10, 1000) * _shape(workers, sigma, kappa) * scatter, sigma, kappa


def _pairs(rng):
    cases = []
    for points in (3, 4, 4, 5):
        workers, rates, sigma, kappa = _rates(rng, points)
        cases.append((workers, rates, float(1.5 * sigma), float(0.7 * kappa)))
    return cases


def _first_fixed(workers, rates, sigma, kappa):
    law = rates[0] * _shape(workers, sigma, kappa) / _shape(workers, sigma, kappa)[0]
    return float(np.sum(np.log(rates / law) ** 2))


def _one_fixed(workers, rates, sigma, kappa):
    return float(np.sum(np.log(rates / _shape(workers, sigma, kappa)) ** 2))


MISFIT = FunctionCheck(
    Item("ridge_misfit", 1, "what one pair leaves over"),
    "misfit",
    _pairs,
    misfit,
    (
        Misconception(
            "this is the mean of the squares; their sum is asked for",
            lambda *case: misfit(*case) / len(case[0]),
        ),
        Misconception(
            "the law is drawn through the first point; the best X1 leaves the same above as below",
            _first_fixed,
        ),
        Misconception(
            "X1 is not 1: the best one takes the mean of the logarithms away", _one_fixed
        ),
        Misconception(
            "logarithms to the base e are asked for",
            lambda *case: misfit(*case) / np.log(10) ** 2,
        ),
        Misconception("this is the root of the sum", lambda *case: float(np.sqrt(misfit(*case)))),
    ),
    otherwise="logarithms of rate over shape, less their mean, squared and added up",
    tolerance=1e-5,
)


def _grid(workers, rates, sigmas, kappas):
    s, k = sigmas[:, None, None], kappas[None, :, None]
    return len(rates) * np.log(rates / _shape(workers, s, k)).var(axis=2)


def allowed(workers, rates, sigmas, kappas, spread):
    """Pairs within the level of the best on the grid."""
    left = _grid(workers, rates, sigmas, kappas)
    return left - left.min() <= LEVEL * spread**2


def _grids(rng):
    """Grids about the truth, no pair of which is near the border."""
    cases = []
    while len(cases) < 3:
        workers, rates, sigma, kappa = _rates(rng, 4 + len(cases) % 2)
        sigmas = np.linspace(0, 2.5 * sigma, int(rng.integers(7, 10)))
        kappas = np.linspace(0, 2.5 * kappa, int(rng.integers(11, 14)))
        spread = float(rng.uniform(0.02, 0.05))
        left = _grid(workers, rates, sigmas, kappas)
        away = np.abs((left - left.min()) / spread**2 - LEVEL)
        found = left - left.min() <= LEVEL * spread**2
        absolute = left <= LEVEL * spread**2
        if away.min() > 1e-3 and 4 < found.sum() < 0.8 * found.size and (absolute != found).any():
            cases.append((workers, rates, sigmas, kappas, spread))
    return cases


def _with(rule):
    def answer(workers, rates, sigmas, kappas, spread):
        left = _grid(workers, rates, sigmas, kappas)
        return rule(left, spread)

    return answer


ALLOWED = FunctionCheck(
    Item("ridge_allowed", 1, "which pairs are about as good as the best"),
    "allowed",
    _grids,
    allowed,
    (
        Misconception(
            "a pair may be so much worse than the best one, whose misfit is not 0",
            _with(lambda left, spread: left <= LEVEL * spread**2),
        ),
        Misconception(
            "a variance is the square of a standard deviation",
            _with(lambda left, spread: left - left.min() <= LEVEL * spread),
        ),
        Misconception(
            "5.99 is for two unknowns; 3.84 is for one",
            _with(lambda left, spread: left - left.min() <= 3.84 * spread**2),
        ),
        Misconception(
            "a line for each sigma and a column for each kappa",
            lambda *case: allowed(*case).T,
        ),
        Misconception("true is for the pairs that are allowed", lambda *case: ~allowed(*case)),
    ),
    otherwise="misfit of each pair, less the smallest of the grid, at most 5.99 spread squared",
)


def guesses(workers, rates, sigmas, kappas, spread, new):
    """Ends of what the allowed pairs say."""
    return _ends(
        workers, rates, sigmas, kappas, allowed(workers, rates, sigmas, kappas, spread), new
    )


def _ends(workers, rates, sigmas, kappas, which, new, first=None):
    told = []
    for (i, sigma), (j, kappa) in product(enumerate(sigmas), enumerate(kappas)):
        if which[i, j]:
            own = np.exp(np.mean(np.log(rates / _shape(workers, sigma, kappa))))
            told.append((first or own) * _shape(new, sigma, kappa))
    return np.array([min(told), max(told)])


def _asked(rng):
    return [(*case, int(case[0].max() * rng.choice([4, 8, 16]))) for case in _grids(rng)]


def _of_all(workers, rates, sigmas, kappas, spread, new):
    every = np.ones((len(sigmas), len(kappas)), dtype=bool)
    return _ends(workers, rates, sigmas, kappas, every, new)


def _of_the_best(workers, rates, sigmas, kappas, spread, new):
    left = _grid(workers, rates, sigmas, kappas)
    return _ends(workers, rates, sigmas, kappas, left == left.min(), new)


def _one_first(workers, rates, sigmas, kappas, spread, new):
    """All pairs with the X1 of the best pair."""
    left = _grid(workers, rates, sigmas, kappas)
    i, j = np.unravel_index(left.argmin(), left.shape)
    first = np.exp(np.mean(np.log(rates / _shape(workers, sigmas[i], kappas[j]))))
    which = allowed(workers, rates, sigmas, kappas, spread)
    return _ends(workers, rates, sigmas, kappas, which, new, first)


GUESSES = FunctionCheck(
    Item("ridge_guesses", 1, "lowest and highest rate far from the points"),
    "guesses",
    _asked,
    guesses,
    (
        Misconception("pairs that are not allowed have no say", _of_all),
        Misconception(
            "the best pair alone says one number; all that are allowed say a range", _of_the_best
        ),
        Misconception("each pair has a best X1 of its own", _one_first),
        Misconception("the lowest first", lambda *case: guesses(*case)[::-1]),
    ),
    otherwise="X1 of the pair times the law at `new`, for each allowed pair; then the two ends",
    tolerance=1e-5,
)


def chance_of_fewer(confidences, hits):
    """By adding one question at a time."""
    chances = [1.0]
    for c in confidences:
        missed, hit = [(1 - c) * p for p in chances] + [0.0], [0.0] + [c * p for p in chances]
        chances = [a + b for a, b in zip(missed, hit, strict=True)]
    return sum(chances[: hits + 1])


def _diaries(rng):
    cases = []
    for count in (1, 3, 8, 20, 50):
        confidences = rng.choice([0.5, 0.8, 0.9, 0.95], size=count)
        cases.append((confidences, int(confidences.sum() * rng.uniform(0.8, 1))))
    return [*cases, (np.array([0.8, 0.5, 0.9]), 0), (np.array([0.6, 0.9]), 2)]


def _same_confidence(confidences, hits):
    return chance_of_fewer([float(np.mean(confidences))] * len(confidences), hits)


CHANCE = FunctionCheck(
    Item("diary_chance", 1, "how likely so few hits are"),
    "chance_of_fewer",
    _diaries,
    chance_of_fewer,
    (
        Misconception(
            "this is the probability of fewer; so many hits count with them",
            lambda c, hits: chance_of_fewer(c, hits - 1) if hits else 0.0,
        ),
        Misconception(
            "this is the probability of just so many hits; fewer count too",
            lambda c, hits: (
                chance_of_fewer(c, hits) - (chance_of_fewer(c, hits - 1) if hits else 0)
            ),
        ),
        Misconception(
            "the confidences differ, and their mean does not stand for them", _same_confidence
        ),
        Misconception(
            "this is the probability of so many misses or fewer",
            lambda c, hits: chance_of_fewer(1 - np.asarray(c), hits),
        ),
        Misconception(
            "this is the probability of more hits", lambda c, hits: 1 - chance_of_fewer(c, hits)
        ),
    ),
    otherwise="a hit moves the count up with probability c; a miss leaves it with 1 - c",
)
