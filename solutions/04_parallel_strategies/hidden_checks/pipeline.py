"""Exercise 3: a schedule of a pipeline as plain data, run here as a timeline of events."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError
from amdahl_lab.schedule import TaskGraph

LATER = "counts once every schedule can be run"
Pass = tuple[str, int]


@dataclass(frozen=True)
class ScheduleCheck:
    """Runs the schedules that a student's ``schedule(stages, micro_batches, bound)`` gives.

    Parameters
    ----------
    subject : str
        Name of the function.
    runs, bubble, memory, tight : Item
        Every schedule can be run; the bubble where N micro-batches fit; the micro-batches held;
        the time where fewer fit.
    """

    subject: str
    runs: Item
    bubble: Item
    memory: Item
    tight: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.runs, self.bubble, self.memory, self.tight)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for schedules of several sizes and run each."""
        rng = marking.rng(self.subject)
        roomy, tight = _sizes(rng)
        seconds = float(rng.uniform(0.5, 1.5)), float(rng.uniform(1.6, 3.0))
        question = {"function": self.subject, "cases": [list(case) for case in (*roomy, *tight)]}
        answers = marking.session.ask("call", question, seconds=10.0)
        hint = trouble(answers if isinstance(answers, list) else [{}], self.subject)
        if hint is not None:
            return nothing(self.items, hint)
        if len(answers) != len(roomy) + len(tight):
            raise NoAnswerError("it gave no answer")
        tried = [
            _Tried.of(answer.get("value"), *case, *seconds)
            for answer, case in zip(answers, (*roomy, *tight), strict=True)
        ]
        hint = next((one.problem for one in tried if one.problem), None)
        if hint is not None:
            return [Verdict(self.runs, 0.0, hint), *nothing(self.items[1:], LATER)]
        hints = [
            _first(one.too_long() for one in tried[: len(roomy)]),
            _first(one.too_much() for one in tried),
            _first(one.too_much() or one.too_long() for one in tried[len(roomy) :]),
        ]
        verdicts = [Verdict(self.runs, self.runs.points)]
        for item, hint in zip(self.items[1:], hints, strict=True):
            verdicts.append(Verdict(item, 0.0 if hint else item.points, hint or ""))
        return verdicts


def _first(hints: Any) -> str | None:
    return next((hint for hint in hints if hint), None)


def _sizes(rng: np.random.Generator) -> tuple[list, list]:
    """Stages, micro-batches and bound: where N of them fit, and where fewer do."""
    stages = int(rng.integers(3, 7))
    many = stages + int(rng.integers(3, 12))
    roomy = [
        (stages, many, stages),
        (2, int(rng.integers(5, 12)), 2),
        (5, int(rng.integers(2, 5)), 5),  # fewer micro-batches than stages
        (1, 4, 1),
        (4, int(rng.integers(8, 14)), int(rng.integers(5, 8))),  # more room than it takes
    ]
    tight = [(stages + 2, many, bound) for bound in (stages - 1, 2, 1)]
    return roomy, tight


@dataclass(frozen=True)
class _Tried:
    """One schedule, looked at and run.

    Parameters
    ----------
    problem : str or None
        Why it cannot be run.
    stages, micro_batches, bound : int
        What was asked for.
    seconds, best : float
        Until its last pass ends, and what 1F1B takes within the bound.
    sequence : float
        Seconds of one micro-batch after the other.
    live : tuple of int
        The most micro-batches that each stage holds.
    """

    problem: str | None
    stages: int
    micro_batches: int
    bound: int
    seconds: float = 0.0
    best: float = 0.0
    sequence: float = 0.0
    live: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, value: Any, stages: int, micro_batches: int, bound: int, f: float, b: float
    ) -> "_Tried":
        """Look at a schedule and run it."""
        asked = stages, micro_batches, bound
        orders = _orders(value, stages)
        problem = orders if isinstance(orders, str) else _incomplete(orders, micro_batches)
        seconds = None if problem else _finish(orders, micro_batches, f, b)
        if not problem and seconds is None:
            problem = (
                "a pass waits for one that comes after it, so the pipeline stands still: F needs F "
                "of the stage before, B needs F of its own stage and B of the stage behind"
            )
        if problem:
            return cls(problem, *asked)
        best = _finish(_one_forward_one_backward(*asked), micro_batches, f, b)
        live = tuple(_most_live(order) for order in orders)
        return cls(None, *asked, seconds, best, micro_batches * stages * (f + b), live)

    def too_long(self) -> str | None:
        """Hint if it takes longer than 1F1B within the bound."""
        if self.seconds <= self.best * (1 + 1e-9):
            return None
        if self.micro_batches > 1 and self.seconds >= self.sequence * (1 - 1e-9):
            return (
                "one micro-batch at a time: while a stage works, all others wait; the next forward "
                "has to start before the backward of the one before is through"
            )
        if self.bound < self.stages:
            return (
                "where few micro-batches may be held, it takes longer than need be: a stage near "
                "the end needs fewer of them than the bound allows, and a backward pass that can "
                "run goes first"
            )
        return (
            "the bubble is larger than (N - 1)/(M + N - 1): how many forward passes does a stage "
            "make before its first backward pass can arrive?"
        )

    def too_much(self) -> str | None:
        """Hint if a stage holds more than the bound."""
        most = max(self.live)
        if most <= self.bound:
            return None
        if most == self.micro_batches and min(self.live) == most:
            return (
                "all forward passes before the first backward pass: that is GPipe, which holds all "
                "M micro-batches; a backward pass lets go of one, so let it run as soon as it can"
            )
        return (
            "a stage holds more micro-batches than bound: it makes too many forward passes "
            "before its first backward pass"
        )


def _orders(value: Any, stages: int) -> list[list[Pass]] | str:
    """Passes of each stage, or what is wrong with their form."""
    if value is None:
        return NOT_WRITTEN
    if not isinstance(value, list) or len(value) != stages:
        return "return one list for each stage"
    for order in value:
        if not isinstance(order, list):
            return "return one list for each stage"
        for one in order:
            if not isinstance(one, list) or len(one) != 2 or one[0] not in ("F", "B"):
                return 'each pass is a pair such as ("F", 0) or ("B", 3)'
            if isinstance(one[1], bool) or not isinstance(one[1], int | float):
                return 'each pass is a pair such as ("F", 0) or ("B", 3)'
    return [[(kind, m) for kind, m in order] for order in value]


def _incomplete(orders: list[list[Pass]], micro_batches: int) -> str | None:
    wanted = sorted((kind, m) for kind in "FB" for m in range(micro_batches))
    if any(sorted(order) != wanted for order in orders):
        return (
            "each stage makes F and B of each micro-batch once: a pass is missing, is there twice, "
            "or belongs to no micro-batch; they count from 0 to M - 1"
        )
    return None


def _finish(orders: list[list[Pass]], micro_batches: int, f: float, b: float) -> float | None:
    """Seconds until the last pass ends; None if passes wait for each other in a circle."""
    passes = [(stage, *one) for stage, order in enumerate(orders) for one in order]
    index = {one: place for place, one in enumerate(passes)}
    before, source = [], []
    for place, (stage, kind, m) in enumerate(passes):
        follows = place > 0 and passes[place - 1][0] == stage
        before.append(place - 1 if follows else -1)
        needed = (stage - 1, "F", m) if kind == "F" else (stage + 1, "B", m)
        if kind == "B" and stage == len(orders) - 1:
            needed = (stage, "F", m)
        source.append(index.get(needed, -1))
    try:
        graph = TaskGraph(np.array(before), np.array(source))
    except ValueError:
        return None
    durations = np.array([f if kind == "F" else b for _, kind, _ in passes])
    return float(graph.run(durations).max())


def _most_live(order: list[Pass]) -> int:
    live = np.cumsum([1 if kind == "F" else -1 for kind, _ in order])
    return int(live.max())


def _one_forward_one_backward(stages: int, micro_batches: int, bound: int) -> list[list[Pass]]:
    orders = []
    for stage in range(stages):
        ahead = min(stages - stage, bound, micro_batches)
        order = [("F", m) for m in range(ahead)]
        for m in range(micro_batches):
            order.append(("B", m))
            if m + ahead < micro_batches:
                order.append(("F", m + ahead))
        orders.append(order)
    return orders


SCHEDULE = ScheduleCheck(
    "schedule",
    runs=Item("schedule_runs", 1, "every pass once, and none waits for a later one"),
    bubble=Item("schedule_bubble", 1, "no more bubble than (N - 1)/(M + N - 1)"),
    memory=Item("schedule_memory", 1, "no stage holds more micro-batches than it may"),
    tight=Item("schedule_tight", 1, "in time where fewer than N micro-batches may be held"),
)
