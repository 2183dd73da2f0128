"""Exercise 5: a data-parallel step timed on its ranks, and a report of a run."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import (
    NOT_WRITTEN,
    Item,
    Marking,
    Verdict,
    nothing,
    trouble,
    verdict,
)
from amdahl_lab.grading.measuring import dictionary, not_measured
from amdahl_lab.grading.scenes import Call, Scene, calls_of, parts_of
from amdahl_lab.statistics import ratio_interval

WORKERS, WARMUPS, STEPS, ELEMENTS = 3, 4, 6, 6_000
SMALL = 64  # bytes of a collective that carries no more than a time
MEETINGS = ("barrier", "monitored_barrier", "allreduce", "allgather", "_allgather_base")
SCENE = Scene(
    "timed_steps",
    ("time_steps",),
    "the ranks wait for each other without end: does every rank call the same collectives in the "
    "same order?",
)


@dataclass(frozen=True)
class TimedStepsCheck:
    """Calls a student's ``time_steps`` on ranks with clocks of their own, and watches.

    Parameters
    ----------
    subject : str
        Name of the function.
    slowest, protocol : Item
        Seconds per step of the slowest rank, on each; what was done in which order.
    """

    subject: str
    slowest: Item
    protocol: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The two items."""
        return (self.slowest, self.protocol)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Three ranks of different speed."""
        rng = marking.rng(self.subject)
        seconds = rng.uniform(0.01, 0.02, size=(WORKERS, WARMUPS + STEPS))
        seconds *= rng.permutation(np.linspace(1.0, 1.6, WORKERS))[:, None]
        seconds[:, :WARMUPS] *= 5
        offsets = rng.uniform(10, 1000, size=WORKERS)
        played = SCENE.play(
            marking,
            WORKERS,
            25.0,
            durations=seconds.tolist(),
            offsets=offsets.tolist(),
            warmups=WARMUPS,
            steps=STEPS,
            elements=ELEMENTS,
        )
        if played.hint is not None:
            return nothing(self.items, played.hint)
        ranks = [parts_of(rank, 2) for rank in played.ranks]
        values = [value for value, _ in ranks]
        if all(value is None for value in values):
            return nothing(self.items, NOT_WRITTEN)
        calls = [calls_of(done) for _, done in ranks]
        steps = sum(call.kind == "step" for done in calls for call in done) / WORKERS
        if played.less_than(2 * (WORKERS - 1) * steps * ELEMENTS * 8):
            return nothing(self.items, "fewer steps were run than were counted")
        return [
            verdict(self.slowest, _value_hint(values, seconds)),
            verdict(self.protocol, _first_hint([_protocol_hint(done) for done in calls])),
        ]


def _first_hint(hints: list[str | None]) -> str | None:
    return next((hint for hint in hints if hint is not None), None)


def _value_hint(values: list, seconds: np.ndarray) -> str | None:
    got = [wire.numbers(value) for value in values]
    if any(one is None or one.size != 1 for one in got):
        return "every rank returns one number, the seconds per step"
    got = np.array([one.item() for one in got])
    counted = seconds[:, WARMUPS:].sum(axis=1)

    def are(values: Any) -> bool:
        return np.allclose(got, values, rtol=1e-5)

    if are(counted.max() / STEPS):
        return None
    if are(counted / STEPS):
        return (
            "each rank returns its own time: a step is over when the slowest rank is done, and "
            "every rank should say that one"
        )
    if are(counted.mean() / STEPS) or are(counted.sum() / STEPS):
        return "a mean or a sum over the ranks; the step is over when the slowest is done"
    if are(counted.max()) or are(counted):
        return "seconds per step are asked for, and these are the seconds of all steps"
    if are(seconds.sum(axis=1).max() / STEPS) or are(seconds.mean(axis=1).max()):
        return "the warm-up steps are in these times"
    right = np.isclose(got, counted.max() / STEPS, rtol=1e-5)
    if right.any():
        return "some ranks return the slowest rank's time and others do not"
    return "not the seconds per step of the slowest rank"


def _protocol_hint(calls: list[Call]) -> str | None:
    names = [call.kind for call in calls]
    if names.count("step") != WARMUPS + STEPS:
        return "so many warm-up steps and so many steps as asked for, and no more"
    if names.count("clock") < 2:
        return "look at the clock before the steps and after them"
    first, last = names.index("clock"), len(names) - 1 - names[::-1].index("clock")
    before, during = names[:first], names[first + 1 : last]
    if before.count("step") < WARMUPS or during.count("step") < STEPS:
        return "the warm-up steps come before the first look at the clock, all others after it"
    meeting = before[len(before) - 1 - before[::-1].index("step") :] if "step" in before else before
    if not set(meeting) & set(MEETINGS):
        if set(during) & set(MEETINGS):
            return (
                "the ranks meet after the clock was read: a rank that comes early counts its "
                "waiting as work"
            )
        return "nothing makes the ranks begin together: meet before the first look at the clock"
    if set(during) - {"step"}:
        return (
            "between the first and the last look at the clock are the steps alone: a barrier or a "
            "clock in every step is timed with it"
        )
    if any(call.bytes > SMALL for call in calls):
        return "a time is one number, and more was sent"
    return None


@dataclass(frozen=True)
class RunsReportCheck:
    """Works out a report of interleaved runs again, and whether the run took place.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the dictionary in the notebook.
    measured_in : str
        Id of the cell in which it was measured.
    least_rounds : int
        Fewest rounds that count.
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
        return [verdict(self.item, hint)]

    def _hint(self, value: Any, marking: Marking) -> str | None:
        report = dictionary(value)
        runs, stated = (wire.numbers(report.get(name)) for name in ("runs", "speedup"))
        if runs is None or runs.ndim != 2 or runs.shape[1] != 4:
            return (
                "report['runs'] is a list with four numbers for each run, in the order in which "
                "they ran: round, workers, batch, seconds per step"
            )
        if stated is None or stated.shape != (3,):
            return "report['speedup'] must hold three numbers: estimate, low end, high end"
        if len(runs) % 2 or len(runs) // 2 < self.least_rounds + 1:
            return f"one round to warm up and at least {self.least_rounds} that count"
        pairs = runs.reshape(-1, 2, 4)
        if np.any(np.sort(pairs[:, :, 1], axis=1) != [1, 2]):
            return "each round runs one worker and two workers before the next round begins"
        if np.any(pairs[:, :, 0] != np.arange(len(pairs))[:, None]):
            return "rounds are numbered from 0, the round that warms up"
        if np.unique(pairs[:, 0, 1]).size == 1:
            return "the order is the same in every round"
        if np.unique(runs[:, 2]).size > 1:
            return (
                "one worker and two did not share the same batch, so that this is no speedup of "
                "one and the same step"
            )
        hint = not_measured(
            runs[:, 3],
            self.steps * runs[:, 3].sum(),
            marking.runs.get(self.measured_in),
            len(pairs) * self.least_bytes_per_round,
        )
        return hint or self._speedup_hint(stated, pairs)

    def _speedup_hint(self, stated: np.ndarray, pairs: np.ndarray) -> str | None:
        by_workers = np.take_along_axis(pairs[:, :, 3], np.argsort(pairs[:, :, 1], axis=1), axis=1)

        def says(one: np.ndarray, two: np.ndarray) -> bool:
            right = ratio_interval(one, two)
            return np.allclose(stated, [right.estimate, right.low, right.high], rtol=1e-4)

        one, two = by_workers.T
        if says(one[1:], two[1:]):
            return None
        if says(two[1:], one[1:]):
            return "the speedup is the time of one worker over that of two; this is upside down"
        if says(one, two):
            return "round 0 warms up and does not count"
        return "the stated speedup is not what these rounds give"


TIMED = TimedStepsCheck(
    "time_steps",
    slowest=Item("steps_slowest", 1, "seconds per step of the slowest rank, on every rank"),
    protocol=Item("steps_protocol", 1, "warm-ups apart, ranks begin together, steps alone timed"),
)
# The network and the steps of one run, as the notebook states them.
PARAMETERS = 64 * 256 + 256 + 256 * 10 + 10
RUN_WARMUPS, RUN_STEPS = 2, 5
REPORT = RunsReportCheck(
    Item("speedup_report", 1, "a report of a run that took place"),
    "report",
    measured_in="answer_5_report",
    least_rounds=10,
    steps=RUN_STEPS,
    least_bytes_per_round=0.9 * (RUN_WARMUPS + RUN_STEPS) * 2 * 4 * PARAMETERS,
)
