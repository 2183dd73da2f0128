"""Checks that a function refuses data which can't be, and takes those which can."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, trouble, verdict
from amdahl_lab.grading.session import NoAnswerError


@dataclass(frozen=True)
class RefusalCheck:
    """Calls a function with arguments that it must refuse by a ValueError, and with good ones.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the function.
    cases : callable
        Draws from a generator pairs of an argument tuple and a hint. An empty hint is for
        arguments that are good; any other says why these have to be refused.
    otherwise : str
        Hint for a function that refuses what it should take.
    seconds : float
        Wall time for all cases together.
    """

    item: Item
    subject: str
    cases: Callable[[np.random.Generator], list[tuple[tuple, str]]]
    otherwise: str
    seconds: float = 10.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for all cases and look at which were refused."""
        cases = self.cases(marking.rng(self.item.id))
        packed = [[wire.packed(value) for value in case] for case, _ in cases]
        question = {"function": self.subject, "cases": packed}
        answers = marking.session.ask("call", question, seconds=self.seconds)
        if not isinstance(answers, list) or len(answers) != len(cases):
            raise NoAnswerError("it gave no answer")
        answers = [answer if isinstance(answer, dict) else {} for answer in answers]
        return [verdict(self.item, self._hint(answers, [hint for _, hint in cases]))]

    def _hint(self, answers: list[dict], hints: list[str]) -> str | None:
        good = [answer for answer, hint in zip(answers, hints, strict=True) if not hint]
        if trouble(good, self.subject) == NOT_WRITTEN:
            return NOT_WRITTEN
        for answer, hint in zip(answers, hints, strict=True):
            raised = answer.get("raised")
            if hint and "value" in answer:
                return hint
            if hint and raised != "ValueError":
                return trouble([answer], self.subject) or "it gave no answer"
            if not hint and raised == "ValueError":
                return self.otherwise
            if not hint and answer.get("value") is None:
                return trouble([answer], self.subject) or "it gave no answer"
        return None
