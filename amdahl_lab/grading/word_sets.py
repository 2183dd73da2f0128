"""A hidden check of a function whose answers are sets of words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Misconception, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError


@dataclass(frozen=True)
class WordsCheck:
    """Calls a function of the notebook on hidden inputs; all sets of words must be right.

    A list or tuple serves as well as a set. Order, repetition, capitals and blanks around a word
    do not count.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the function.
    cases : callable
        Draws the list of argument tuples from a generator.
    truth : callable
        The right function; returns a set of words.
    misconceptions : tuple of Misconception
        In order: the first that explains all answers gives the hint.
    otherwise : str
        Hint for a wrong answer that nothing explains.
    """

    item: Item
    subject: str
    cases: Callable[[np.random.Generator], list[tuple]]
    truth: Callable[..., set[str]]
    misconceptions: tuple[Misconception, ...] = ()
    otherwise: str = "for some hidden inputs the words are others"
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for all cases and compare."""
        cases = self.cases(marking.rng(self.item.id))
        packed = [[wire.packed(value) for value in case] for case in cases]
        question = {"function": self.subject, "cases": packed}
        answers = marking.session.ask("call", question, seconds=10.0)
        if not isinstance(answers, list) or len(answers) != len(cases):
            raise NoAnswerError("it gave no answer")
        hint = trouble(answers, self.subject)
        if hint is not None:
            return nothing(self.items, hint)
        said = [_words(answer.get("value")) for answer in answers]
        if any(words is None for words in said):
            return nothing(self.items, f"{self.subject} must return a set of words")
        if said == [self.truth(*case) for case in cases]:
            return [Verdict(self.item, self.item.points)]
        for mistake in self.misconceptions:
            if said == [mistake.answer(*case) for case in cases]:
                return nothing(self.items, mistake.hint)
        return nothing(self.items, self.otherwise)


def _words(value: Any) -> set[str] | None:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    return {word.strip().lower() for word in value}
