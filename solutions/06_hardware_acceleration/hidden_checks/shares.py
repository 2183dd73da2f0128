"""Exercise 4, first half: whole-number shares of a batch for workers of unequal speed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError

LATER = "counts once the shares are whole numbers that make up the batch"
Case = tuple[int, list[float]]


def best_shares(batch: int, seconds: Sequence[float]) -> list[int]:
    """Shares with the least time of the slowest worker: each sample to who would end first."""
    shares = [0] * len(seconds)
    for _ in range(batch):
        ends = [(n + 1) * each for n, each in zip(shares, seconds, strict=True)]
        shares[int(np.argmin(ends))] += 1
    return shares


def slowest(shares: Sequence[int], seconds: Sequence[float]) -> float:
    """Seconds of the slowest worker."""
    return max(n * each for n, each in zip(shares, seconds, strict=True))


@dataclass(frozen=True)
class SplitCheck:
    """Asks a student's ``split(batch, seconds)`` for shares and looks at their properties.

    Any shares with the least time count, as there may be several.

    Parameters
    ----------
    subject : str
        Name of the function.
    near, best : Item
        Whole numbers that make up the batch and end at most one sample late; the least time.
    """

    subject: str
    near: Item
    best: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The two items."""
        return (self.near, self.best)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for all cases."""
        cases = _cases(marking.rng(self.subject))
        question = {"function": self.subject, "cases": [list(case) for case in cases]}
        answers = marking.session.ask("call", question, seconds=10.0)
        hint = trouble(answers if isinstance(answers, list) else [{}], self.subject)
        if hint is not None:
            return nothing(self.items, hint)
        if len(answers) != len(cases):
            raise NoAnswerError("it gave no answer")
        given = [
            _shares(answer.get("value"), len(seconds))
            for answer, (_, seconds) in _both(answers, cases)
        ]
        hints = [_malformed(one, *case) for one, case in _both(given, cases)]
        hint = next((hint for hint in hints if hint), None)
        if hint is not None:
            return [Verdict(self.near, 0.0, hint), Verdict(self.best, 0.0, LATER)]
        late = [
            slowest(one, seconds) - slowest(best_shares(batch, seconds), seconds)
            for one, (batch, seconds) in _both(given, cases)
        ]
        tiny = 1e-9
        near = all(more <= max(seconds) * (1 + tiny) for more, (_, seconds) in _both(late, cases))
        best = all(more <= max(seconds) * tiny for more, (_, seconds) in _both(late, cases))
        return [
            _verdict(self.near, None if near else _hint(given, cases)),
            _verdict(self.best, None if best else _hint(given, cases) if not near else ROUNDED),
        ]


ROUNDED = (
    "for some hidden batch another split ends sooner: shares that are rounded one by one leave a "
    "sample with the wrong worker; who would end first with one more?"
)


def _verdict(item: Item, hint: str | None) -> Verdict:
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


def _both(some: Sequence[Any], others: Sequence[Any]) -> list[tuple]:
    return list(zip(some, others, strict=True))


def _cases(rng: np.random.Generator) -> list[Case]:
    """Batches of every kind; always two where rounding goes wrong."""
    cases: list[Case] = [(int(rng.integers(20, 60)) * 4, [1.0, 3.0])]
    for workers in (2, 3, 3, 5):
        cases.append((int(rng.integers(30, 200)), rng.uniform(1, 6, size=workers).tolist()))
    cases.append((int(rng.integers(3, 6)), rng.uniform(1, 2, size=7).tolist()))  # few samples
    cases.append((12, [1.0, 1.0 + float(rng.random()), 40.0]))  # one that is best left out
    cases.append(_drawn_until(rng, lambda batch, seconds: sum(_rounded(batch, seconds)) != batch))
    return [*cases, _drawn_until(rng, _largest_rest_is_late)]


def _drawn_until(rng: np.random.Generator, wanted: Callable[[int, list[float]], bool]) -> Case:
    while True:
        case = (int(rng.integers(11, 30)), rng.uniform(1, 4, size=4).tolist())
        if wanted(*case):
            return case


def _rounded(batch: int, seconds: Sequence[float]) -> list[int]:
    return np.round(_proportional(batch, seconds)).astype(int).tolist()


def _largest_rest_is_late(batch: int, seconds: Sequence[float]) -> bool:
    late = slowest(_largest_rest(batch, seconds), seconds)
    return late > slowest(best_shares(batch, seconds), seconds) + 1e-6


def _proportional(batch: int, seconds: Sequence[float]) -> np.ndarray:
    speeds = 1 / np.array(seconds)
    return batch * speeds / speeds.sum()


def _largest_rest(batch: int, seconds: Sequence[float]) -> list[int]:
    exact = _proportional(batch, seconds)
    shares = np.floor(exact).astype(int)
    for place in np.argsort(shares - exact)[: batch - shares.sum()]:
        shares[place] += 1
    return shares.tolist()


def _shares(value: Any, workers: int) -> list[float] | None:
    array = wire.numbers(value)
    return array.tolist() if array is not None and array.shape == (workers,) else None


def _malformed(shares: list[float] | None, batch: int, seconds: Sequence[float]) -> str | None:
    if shares is None:
        return "return a list with one number for each worker"
    if any(n != int(n) for n in shares if np.isfinite(n)) or not np.all(np.isfinite(shares)):
        return "a share is not a whole number: a sample can't be cut"
    if min(shares) < 0:
        return "a share is below 0"
    if sum(shares) != batch:
        return (
            "the shares do not make up the batch: what rounding loses or adds has to be put right"
        )
    return None


def _hint(given: Sequence[list[float]], cases: Sequence[Case]) -> str:
    def all_near(other: Callable[[int, list[float]], Any]) -> bool:
        # As any way of rounding may have made whole numbers of it.
        return all(
            np.all(np.abs(np.array(one) - other(*case)) <= len(one))
            for one, case in _both(given, cases)
        )

    if all_near(lambda batch, seconds: np.full(len(seconds), batch / len(seconds))):
        return "these are equal shares: all wait for the slowest worker"
    if all_near(lambda batch, seconds: _proportional(batch, 1 / np.array(seconds))):
        return "the slowest worker gets the most: a share goes with speed, which is 1 over seconds"
    return "the slowest worker ends later than it must: share out in proportion to speed"


SPLIT = SplitCheck(
    "split",
    near=Item("split_near", 1, "whole shares in proportion to speed"),
    best=Item("split_best", 1, "shares with the least time of the slowest worker"),
)
