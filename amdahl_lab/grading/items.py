"""Hidden checks as plain items: what to ask, how to compare, which mistake earns which hint.

Everything here runs in the grader's process. A check asks the kernel for plain data on inputs
drawn from the teacher's seed, works out the right answer itself, and gives points. The student's
process never sees a right answer, and nothing that it sends is run.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.session import CellRun, KernelSession, NoAnswerError

NOT_WRITTEN = "not written yet"


@dataclass(frozen=True)
class Item:
    """One line of a mark sheet.

    Parameters
    ----------
    id : str
        Name of the item, unique in the assignment.
    points : float
        Most points.
    title : str
        What it is about, in a few words that give nothing away.
    """

    id: str
    points: float
    title: str


@dataclass(frozen=True)
class Verdict:
    """Points for one item and, where some are missing, a sentence that helps."""

    item: Item
    points: float
    hint: str = ""


@dataclass(frozen=True)
class Marking:
    """What a check works with.

    Parameters
    ----------
    session : KernelSession
        The kernel in which the student's cells ran.
    seed : int
        The teacher's seed.
    runs : mapping of str to CellRun
        How the student's cells ran, by their nbgrader id.
    notebook : str
        What the student wrote. Another text gets other inputs, so nothing that a notebook saw
        while it was marked helps the next one.
    """

    session: KernelSession
    seed: int
    runs: Mapping[str, CellRun] = field(default_factory=dict)
    notebook: str = ""

    def rng(self, name: str) -> np.random.Generator:
        """Generator for the hidden inputs of one check, the same whenever a notebook is marked."""
        words = [zlib.crc32(text.encode("utf-8", "replace")) for text in (name, self.notebook)]
        return np.random.default_rng([self.seed, *words])


class Check(Protocol):
    """Asks one kind of question and marks one or more items.

    Attributes
    ----------
    measured_in : str
        Id of the cell in which the student takes times, or an empty text. Such a cell should run
        while nothing else does. No points depend on how fast anything was, but the student reads
        the times.
    """

    measured_in: str

    @property
    def items(self) -> Sequence[Item]:
        """The items that it marks."""

    @property
    def subject(self) -> str:
        """Name in the notebook that it asks about."""

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask, compare, give points."""


@dataclass(frozen=True)
class Assignment:
    """The hidden side of one assignment.

    Parameters
    ----------
    checks : mapping of str to sequence of Check
        For each check cell of the notebook, by its nbgrader id, what is asked after it ran.
    put_away : tuple of str
        Modules that are replaced while notebooks are marked.
    """

    checks: Mapping[str, Sequence[Check]]
    put_away: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [item.id for item in self.items()]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"checks must have items with different ids, got {sorted(twice)}")

    def items(self, cell: str | None = None) -> list[Item]:
        """All items in order, or those of one check cell."""
        cells = self.checks if cell is None else [cell]
        return [item for name in cells for check in self.checks[name] for item in check.items]

    @property
    def measuring_cells(self) -> frozenset[str]:
        """Ids of the cells that take times, and so should run while nothing else does."""
        named = (check.measured_in for checks in self.checks.values() for check in checks)
        return frozenset(named) - {""}

    def points(self, cell: str | None = None) -> float:
        """Most points of the assignment, or of one check cell."""
        return sum(item.points for item in self.items(cell))


def nothing(items: Iterable[Item], hint: str) -> list[Verdict]:
    """No points for any of the items, and one hint for all."""
    return [Verdict(item, 0.0, hint) for item in items]


def verdict(item: Item, hint: str | None) -> Verdict:
    """All points where there is no hint, none where there is one."""
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


@dataclass(frozen=True)
class Misconception:
    """A mistake that is known: what it would answer, and what to say to it.

    Parameters
    ----------
    hint : str
        One or two sentences that help and do not give the answer away.
    answer : callable
        The mistaken function, called like the right one.
    """

    hint: str
    answer: Callable[..., Any]


@dataclass(frozen=True)
class FunctionCheck:
    """Calls a function of the notebook on hidden inputs; all answers must be right.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the function.
    cases : callable
        Draws the list of argument tuples from a generator.
    truth : callable
        The right function. It may return None where None is right.
    misconceptions : tuple of Misconception
        In order: the first that explains all answers gives the hint.
    otherwise : str
        Hint for a wrong answer that nothing explains.
    tolerance : float
        Relative difference that is allowed.
    seconds : float
        Wall time for all cases together.
    """

    item: Item
    subject: str
    cases: Callable[[np.random.Generator], list[tuple]]
    truth: Callable[..., Any]
    misconceptions: tuple[Misconception, ...] = ()
    otherwise: str = "the hidden inputs give other values than the law"
    tolerance: float = 1e-6
    seconds: float = 10.0
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
        answers = marking.session.ask("call", question, seconds=self.seconds)
        if not isinstance(answers, list) or len(answers) != len(cases):
            raise NoAnswerError("it gave no answer")
        if self._all_agree(answers, [self.truth(*case) for case in cases]):
            return [Verdict(self.item, self.item.points)]
        return nothing(self.items, self._hint(answers, cases))

    def _all_agree(self, answers: list, expected: list) -> bool:
        pairs = zip(answers, expected, strict=True)
        return all(_agrees(answer, value, self.tolerance) for answer, value in pairs)

    def _hint(self, answers: list, cases: list[tuple]) -> str:
        problem = trouble(answers, self.subject)
        if problem is not None and not any(self.truth(*case) is None for case in cases):
            return problem
        for mistake in self.misconceptions:
            with np.errstate(all="ignore"):
                expected = [_attempt(mistake.answer, case) for case in cases]
            if self._all_agree(answers, expected):
                return mistake.hint
        problem = problem or _shape_trouble(answers, [self.truth(*case) for case in cases])
        return problem or self.otherwise


def _attempt(function: Callable, case: tuple) -> Any:
    """What a mistaken function answers; an exception is an answer too."""
    try:
        return function(*case)
    except Exception as error:
        return {"raised": type(error).__name__}


def _agrees(answer: Any, expected: Any, tolerance: float) -> bool:
    if not isinstance(answer, dict):
        return False
    if isinstance(expected, dict):
        return answer == expected
    if "value" not in answer:
        return False
    if expected is None or isinstance(expected, str | bool):
        return answer["value"] is expected or answer["value"] == expected
    if _is_truths(expected):
        return answer["value"] == expected.tolist()
    got, wanted = wire.numbers(answer["value"]), np.asarray(expected, dtype=float)
    if got is None or got.shape != wanted.shape:
        return False
    return bool(np.allclose(got, wanted, rtol=tolerance, atol=1e-12))


def _is_truths(expected: Any) -> bool:
    return isinstance(expected, np.ndarray) and expected.dtype == bool


def trouble(answers: Sequence[Any], subject: str) -> str | None:
    """Sentence for answers that are none: nothing written, no such name, an exception."""
    answers = [answer if isinstance(answer, dict) else {} for answer in answers]
    if any("missing" in answer for answer in answers):
        return f"there is no {subject} in the notebook any more"
    if all("value" in answer and answer["value"] is None for answer in answers):
        return NOT_WRITTEN
    raised = [answer["raised"] for answer in answers if "raised" in answer]
    if raised:
        name = raised[0] if isinstance(raised[0], str) and raised[0].isidentifier() else "error"
        what = "every hidden input" if len(raised) == len(answers) else "some hidden inputs"
        return f"{subject} stops with {name[:40]} on {what}"
    return None


def _shape_trouble(answers: Sequence[dict], expected: Sequence[Any]) -> str | None:
    for answer, value in zip(answers, expected, strict=True):
        if value is None or isinstance(value, str | bool) or _is_truths(value):
            continue
        got, shape = wire.numbers(answer.get("value")), np.shape(value)
        if got is None:
            return "an answer is not a number or an array of numbers"
        if got.shape != shape:
            wanted = "a single number" if shape == () else f"an array of shape {shape}"
            return f"an answer has shape {got.shape} where {wanted} is asked for"
    return None


@dataclass(frozen=True)
class ChoiceCheck:
    """Compares a choice that is written down in the notebook.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the variable: a set of letters.
    right : frozenset of str
        The right letters.
    hints : mapping of str to str
        For each letter, what to say where it is wrongly in or wrongly out. The first that applies
        is given.
    """

    item: Item
    subject: str
    right: frozenset[str]
    hints: Mapping[str, str]
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for the value and compare."""
        answer = marking.session.ask("value", {"name": self.subject}, seconds=10.0)
        problem = trouble([answer], self.subject)
        if problem is not None:
            return nothing(self.items, problem)
        letters = answer.get("value")
        if isinstance(letters, str):  # "a" and "ac" are read as {"a"} and {"a", "c"}
            letters = [letter for letter in letters if letter.isalpha()]
        if not isinstance(letters, list) or not all(isinstance(one, str) for one in letters):
            return nothing(self.items, f"{self.subject} must be a set of letters")
        chosen = {letter.strip().lower() for letter in letters}
        if not chosen:
            return nothing(self.items, NOT_WRITTEN)
        if chosen == self.right:
            return [Verdict(self.item, self.item.points)]
        wrong = chosen ^ self.right
        hint = next((text for letter, text in self.hints.items() if letter in wrong), "")
        return nothing(self.items, hint or f"{self.subject} holds a letter that is not offered")
