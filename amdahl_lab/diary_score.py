"""The prediction diary scored: how often the ranges held, and how wide they should have been."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from amdahl_lab.diary import Prediction

ODD = 0.05  # a number of hits with less chance than this is more than bad luck


@dataclass(frozen=True)
class Score:
    """How a diary did.

    Parameters
    ----------
    answered, open : int
        Predictions with an outcome, and without one yet.
    hits : int
        Outcomes inside their range.
    expected : float
        Hits that the stated confidences add up to.
    chance_of_fewer, chance_of_more : float
        How likely so few hits or fewer, and so many or more, would be if every confidence were
        right and the questions had nothing to do with each other.
    stretch : float
        Factor on the widths of all ranges, each about its middle, with which as many would have
        held as should have; inf where ranges without width missed.
    penalty : float
        Mean interval score over the size of the outcome, lower is better: the width, and for a
        miss its distance times 2 / (1 - confidence). Neither too wide nor too narrow pays.

    References
    ----------
    The interval score: Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and
    Estimation", Journal of the American Statistical Association 102(477), 2007, section 6.2.
    """

    answered: int
    open: int
    hits: int
    expected: float
    chance_of_fewer: float
    chance_of_more: float
    stretch: float
    penalty: float

    def __str__(self) -> str:
        if not self.answered:
            return f"no prediction has an outcome yet; {self.open} open"
        held = f"{self.hits} of {self.answered} ranges held, {self.expected:.1f} should have"
        if self.chance_of_fewer < ODD:
            return (
                f"{held}: too few for bad luck (chance {self.chance_of_fewer:.1%}). You were too "
                f"sure; ranges {self.stretch:.2g} times as wide would have held often enough"
            )
        if self.chance_of_more < ODD:
            return (
                f"{held}: too many for good luck (chance {self.chance_of_more:.1%}). You know more "
                f"than you say; ranges {self.stretch:.2g} times as wide would have been enough"
            )
        return f"{held}: these few can't tell your confidence from a right one"


def score(predictions: Iterable[Prediction]) -> Score:
    """Score the predictions that have an outcome.

    Parameters
    ----------
    predictions : iterable of Prediction
        Such as ``diary.predictions().values()``.

    Returns
    -------
    Score
        The score; of no answered prediction, too.

    Examples
    --------
    >>> ranges = [(1, 3), (1, 3), (1, 3), (1, 3), (5, 6)]
    >>> made = [
    ...     Prediction(f"q{k}", low, high, 0.8, "2026-01-01", outcome=2.0)
    ...     for k, (low, high) in enumerate(ranges)
    ... ]
    >>> print(score(made))
    4 of 5 ranges held, 4.0 should have: these few can't tell your confidence from a right one
    """
    known = list(predictions)
    answered = [each for each in known if each.outcome is not None]
    chances = _number_of_hits([each.confidence for each in answered])
    hits = sum(bool(each.hit) for each in answered)
    expected = sum(each.confidence for each in answered)
    return Score(
        answered=len(answered),
        open=len(known) - len(answered),
        hits=hits,
        expected=expected,
        chance_of_fewer=sum(chances[: hits + 1]),
        chance_of_more=sum(chances[hits:]),
        stretch=_stretch(answered, expected),
        penalty=(sum(map(_penalty, answered)) / len(answered) if answered else 0.0),
    )


def _number_of_hits(confidences: list[float]) -> list[float]:
    """Return the chance of each number of hits, 0 to all, of independent questions."""
    chances = [1.0]
    for confidence in confidences:
        missed = [(1 - confidence) * chance for chance in [*chances, 0.0]]
        hit = [confidence * chance for chance in [0.0, *chances]]
        chances = [a + b for a, b in zip(missed, hit, strict=True)]
    return chances


def _stretch(answered: list[Prediction], expected: float) -> float:
    """Return the smallest factor with which the expected number, rounded up, would have held."""
    if not answered:
        return 1.0
    factors = []
    for each in answered:
        middle, half = (each.low + each.high) / 2, (each.high - each.low) / 2
        away = abs(each.outcome - middle)
        factors.append(away / half if half else (math.inf if away else 0.0))
    return sorted(factors)[min(math.ceil(expected - 1e-9), len(factors)) - 1]


def _penalty(each: Prediction) -> float:
    missed = max(each.low - each.outcome, each.outcome - each.high, 0.0)
    whole = each.high - each.low + 2 / (1 - each.confidence) * missed
    return whole / abs(each.outcome) if each.outcome else math.inf if whole else 0.0
