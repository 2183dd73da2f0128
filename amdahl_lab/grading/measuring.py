"""Checks of a student's own measurement: its protocol, its arithmetic, and that it took place.

No check asks how fast anything was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import CellRun
from amdahl_lab.statistics import ratio_interval


@dataclass(frozen=True)
class ProtocolCheck:
    """Watches which blocks a student's ``measure(block, rounds, rng)`` runs, and in which order."""

    item: Item
    subject: str
    rounds: int = 10
    seconds: float = 15.0
    measured_in: ClassVar[str] = ""  # the block that it hands in takes no time

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Hand in a block whose times are made up here, and look at what comes back."""
        rng = marking.rng(self.item.id)
        calls: list[tuple[int, float]] = []

        def block(message: dict[str, Any]) -> dict[str, Any]:
            values = [*message["arguments"], *(message.get("named") or {}).values()]
            if values not in ([1], [2]) or len(calls) > 500:
                return {"error": "block takes the number of workers, 1 or 2"}
            calls.append((values[0], float(rng.uniform(0.01, 0.02))))
            return {"value": calls[-1][1]}

        case = [{"callback": "block"}, self.rounds, {"rng": int(rng.integers(2**31))}]
        question = {"function": self.subject, "cases": [case]}
        answers = marking.session.ask("call", question, service=block, seconds=self.seconds)
        hint = trouble(answers if isinstance(answers, list) else [{}], self.subject)
        hint = hint or self._hint(calls, answers)
        return [Verdict(self.item, self.item.points)] if hint is None else nothing(self.items, hint)

    def _hint(self, calls: list[tuple[int, float]], answers: list) -> str | None:
        workers = [number for number, _ in calls]
        pairs = list(zip(workers[::2], workers[1::2], strict=False))
        if any(set(pair) != {1, 2} for pair in pairs) or len(workers) % 2:
            return (
                "a round runs block(1) and block(2) once each before the next round begins, so "
                "that a slow minute of the machine hits both"
            )
        if len(pairs) not in (self.rounds, self.rounds + 1):
            return "one round to warm up, then as many rounds as asked for"
        if len(set(pairs)) == 1:
            return "the order inside a round is always the same: draw it anew with rng"
        if len(pairs) == self.rounds:
            return "the first round warms up and does not count: run one round more"
        value = answers[0].get("value") if isinstance(answers[0], dict) else None
        found = dictionary(value)
        kept = calls[2:]
        for number in (1, 2):
            wanted = np.array([seconds for n, seconds in kept if n == number])
            got = wire.numbers(found.get(str(number)))
            if got is None:
                return "return a dictionary with the keys 1 and 2"
            if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=1e-9):
                return (
                    "return for each number of workers its times in the order of the rounds, "
                    "without the round that warmed up"
                )
        return None


def dictionary(value: Any) -> dict[str, Any]:
    """Entries of a dictionary as the probe sends it; empty if it is none."""
    entries = value.get("dict") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        return {}
    return {
        entry[0]: entry[1]
        for entry in entries
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
    }


def not_measured(
    times: np.ndarray, seconds: float, run: CellRun | None, needed_bytes: float
) -> str | None:
    """Hint for times that can't come from a run of ranks in a cell; None if they can.

    Parameters
    ----------
    times : ndarray
        Raw times.
    seconds : float
        How long the runs behind them took, all together.
    run : CellRun or None
        How the cell ran.
    needed_bytes : float
        What the runs must have moved between the ranks.
    """
    if not np.all(np.isfinite(times) & (times > 0)) or np.unique(times).size < times.size:
        return "these are not times that a clock gave"
    if run is None or seconds > run.seconds:
        return "these times add up to more than the cell took: report the run of this cell"
    if run.loopback_bytes is not None and run.loopback_bytes < needed_bytes:
        return "no training on two ranks took place in this cell, or fewer rounds than stated"
    return None


def serial_fraction_interval(one: Sequence[float], two: Sequence[float]) -> list[float]:
    """Serial fraction from paired times of one and two workers: estimate, low end, high end."""
    speedup = ratio_interval(one, two)
    ends = np.array([speedup.estimate, speedup.high, speedup.low])  # more speedup, less serial
    return (2 / ends - 1).tolist()


@dataclass(frozen=True)
class ReportCheck:
    """Works out a report again from its own raw times, and whether the run took place.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the dictionary in the notebook.
    measured_in : str
        Id of the cell in which it was measured.
    least_rounds : int
        Fewest rounds.
    steps : int
        Steps behind each time.
    least_bytes_per_round : float
        What one round must have moved between the ranks.
    """

    item: Item
    subject: str
    measured_in: str
    least_rounds: int
    steps: int
    least_bytes_per_round: float

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for the report and recompute it."""
        answer = marking.session.ask("value", {"name": self.subject}, seconds=10.0)
        hint = trouble([answer], self.subject) or self._hint(answer.get("value"), marking)
        return [Verdict(self.item, self.item.points)] if hint is None else nothing(self.items, hint)

    def _hint(self, value: Any, marking: Marking) -> str | None:
        report = dictionary(value)
        seconds = dictionary(report.get("seconds"))
        one, two = wire.numbers(seconds.get("1")), wire.numbers(seconds.get("2"))
        stated = wire.numbers(report.get("serial_fraction"))
        if one is None or two is None or one.ndim != 1 or one.shape != two.shape:
            return "report['seconds'] must hold the raw times under 1 and 2, as many for each"
        if stated is None or stated.shape != (3,):
            return "report['serial_fraction'] must hold three numbers: estimate, low end, high end"
        if one.size < self.least_rounds:
            return f"at least {self.least_rounds} rounds are asked for"
        hint = not_measured(
            times := np.concatenate([one, two]),
            times.sum() * self.steps,
            marking.runs.get(self.measured_in),
            one.size * self.least_bytes_per_round,
        )
        if hint is not None:
            return hint
        right = np.array(serial_fraction_interval(one, two))
        if np.allclose(stated, right, rtol=1e-4, atol=1e-6):
            return None
        if np.allclose(stated, right[[0, 2, 1]], rtol=1e-4, atol=1e-6):
            return "the ends are exchanged: the low end of s belongs to the high end of the speedup"
        return "the stated s is not what these times give"
