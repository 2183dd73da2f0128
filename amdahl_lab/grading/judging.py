"""Checks of a student's own tests: hidden laws, right and wrong, whose values are worked out here.

The student's process gets functions without a name or a body. Each call is answered by the
grader, so a test can tell a right law from a wrong one only by its values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError


@dataclass(frozen=True)
class WrongLaws:
    """Laws that a good test rejects, together worth one item."""

    item: Item
    laws: tuple[Callable, ...]
    hint: str


@dataclass(frozen=True)
class TestsCheck:
    """Runs a test written by the student against hidden laws.

    Parameters
    ----------
    subject : str
        Name of the student's function, which takes a law and returns whether it passes.
    right : mapping of str to callable
        Laws that must pass; the key is the hint for a test that rejects this one. Without them
        there are no points at all: rejecting everything is no test.
    wrong : tuple of WrongLaws
        Laws that must not pass.
    most_calls : int
        Calls of laws that are answered.
    most_values : int
        Values that one call may ask for.
    """

    __test__ = False

    subject: str
    right: Mapping[str, Callable]
    wrong: tuple[WrongLaws, ...]
    most_calls: int = 20_000
    most_values: int = 20_000
    seconds: float = 30.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """One item for each group of wrong laws."""
        return tuple(group.item for group in self.wrong)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask which laws pass, in an order drawn from the seed."""
        laws = [*self.right.values(), *(law for group in self.wrong for law in group.laws)]
        order = marking.rng(self.subject).permutation(len(laws))
        service = _Laws([laws[index] for index in order], self.most_calls, self.most_values)
        question = {
            "function": self.subject,
            "cases": [[{"callback": str(place)}] for place in range(len(laws))],
        }
        answers = marking.session.ask("call", question, service=service, seconds=self.seconds)
        if not isinstance(answers, list) or len(answers) != len(laws):
            raise NoAnswerError("it gave no answer")
        problem = trouble([a for a in answers if _passed(a) is None] or [{}], self.subject)
        verdicts: dict[Callable, bool | None] = {}
        for place, index in enumerate(order):
            verdicts[laws[index]] = _passed(answers[place])
        return self._points(verdicts, problem)

    def _points(self, passed: dict[Callable, bool | None], problem: str | None) -> list[Verdict]:
        if any(passed[law] is None for law in self.right.values()):
            return nothing(self.items, problem or f"{self.subject} must return True or False")
        for hint, law in self.right.items():
            if not passed[law]:
                return nothing(self.items, hint)
        verdicts = []
        for group in self.wrong:
            caught = all(passed[law] is False for law in group.laws)
            points, hint = (group.item.points, "") if caught else (0.0, group.hint)
            verdicts.append(Verdict(group.item, points, hint))
        return verdicts


def _passed(answer: Any) -> bool | None:
    """What a test said of a law. A failed assertion says no; other exceptions say nothing."""
    if not isinstance(answer, dict):
        return None
    if answer.get("raised") == "AssertionError":
        return False
    value = answer.get("value")
    return value if isinstance(value, bool) else None


class _Laws:
    """Answers what the student's test asks of the laws."""

    def __init__(self, laws: list[Callable], most_calls: int, most_values: int) -> None:
        self._laws, self._calls, self._most_values = laws, most_calls, most_values

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        self._calls -= 1
        if self._calls < 0:
            return {"error": "too many calls of the laws"}
        named = message.get("named") or {}
        arguments = [wire.numbers(value) for value in message["arguments"]]
        arguments += [
            wire.numbers(named[key]) for key in ("workers", "serial_fraction") if key in named
        ]
        if len(arguments) != 2 or any(argument is None for argument in arguments):
            return {"error": "a law takes workers and serial_fraction, numbers or arrays"}
        workers, serial_fraction = arguments
        if not np.all(workers >= 1) or not np.all(np.isfinite(workers)):
            return {"error": "workers must be finite and at least 1"}
        if not np.all((serial_fraction >= 0) & (serial_fraction <= 1)):
            return {"error": "serial_fraction must be between 0 and 1"}
        try:
            size = np.broadcast_shapes(workers.shape, serial_fraction.shape)
        except ValueError:
            return {"error": "the shapes of workers and serial_fraction do not match"}
        if np.prod(size, dtype=float) > self._most_values:
            return {"error": f"at most {self._most_values} values in one call"}
        law = self._laws[int(message["callback"])]
        with np.errstate(all="ignore"):
            values = np.asarray(law(workers, serial_fraction), dtype=float)
        return {"value": wire.packed(values) if values.ndim else values.item()}
