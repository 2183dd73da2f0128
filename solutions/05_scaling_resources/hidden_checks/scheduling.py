"""Exercise 3: uneven units on three ranks, on a clock that the probe moves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing, verdict
from amdahl_lab.grading.measuring import dictionary
from amdahl_lab.grading.scenes import Scene, parts_of
from amdahl_lab.grading.scheduling_probe import result
from amdahl_lab.grading.session import NoAnswerError

WORKERS = 3
PATIENCE = 4.0  # seconds for a rank that is done to come for its next unit
LATER = "counts once every unit is done exactly once"
SCENE = Scene(
    "scheduling",
    ("work_off",),
    "the ranks wait for each other without end: does every rank come to the end of its loop, and "
    "do all ranks call the same collectives in the same order?",
)


@dataclass(frozen=True)
class SchedulingCheck:
    """Lets a student's ``work_off(units, do, store)`` share out units with hidden costs.

    Parameters
    ----------
    subject : str
        Name of the function.
    once, results, idle, again : Item
        Each unit once; all results everywhere; no rank idle while units are left; more calls.
    seconds : float
        Wall time of several calls in a row.
    """

    subject: str
    once: Item
    results: Item
    idle: Item
    again: Item
    seconds: float = 25.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.once, self.results, self.idle, self.again)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Several calls in a row; if nothing comes of them, the first one by itself."""
        rng = marking.rng(self.subject)
        more = _Run.drawn(rng, [_uneven(rng), _slow_rank(rng), _few(rng, 2), _few(rng, 0)])
        one, hint = more, more.play(marking, self.seconds)
        if hint is not None and hint != NOT_WRITTEN:
            one = _Run(more.seed, more.calls[:1])
        first = (one.play(marking, self.seconds) if one is not more else hint) or one.miscounted(0)
        if first is not None:
            later = first if first == NOT_WRITTEN else LATER
            return [Verdict(self.once, 0.0, first), *nothing(self.items[1:], later)]
        wrong, idle = one.wrong(0), one.idle(0)
        for place in range(len(more.calls)):
            hint = hint or more.miscounted(place) or (None if wrong else more.wrong(place))
        if idle is None and hint is None:
            idle = more.idle(1)
        return [
            Verdict(self.once, self.once.points),
            verdict(self.results, wrong),
            verdict(self.idle, idle),
            verdict(self.again, hint),
        ]


def _uneven(rng: np.random.Generator) -> dict[str, Any]:
    """Units of very different cost, the same on every rank."""
    units = int(rng.integers(14, 22))
    costs = np.exp(rng.normal(0, 0.8, size=units))
    costs[int(rng.integers(2, 6))] *= 30  # longer than many others together
    return {"units": units, "costs": [costs.tolist()] * WORKERS}


def _slow_rank(rng: np.random.Generator) -> dict[str, Any]:
    """Units that differ little, and one rank that takes several times as long for each."""
    units = int(rng.integers(14, 20))
    costs = rng.uniform(0.9, 1.1, size=(WORKERS, units))
    costs[int(rng.integers(WORKERS))] *= rng.uniform(4, 6)
    return {"units": units, "costs": costs.tolist()}


def _few(rng: np.random.Generator, units: int) -> dict[str, Any]:
    return {"units": units, "costs": rng.uniform(1, 2, size=(WORKERS, units)).tolist()}


@dataclass
class _Run:
    """Some calls on three ranks."""

    seed: int
    calls: list[dict[str, Any]]
    ranks: list | None = None
    books: list | None = None

    @classmethod
    def drawn(cls, rng: np.random.Generator, calls: list[dict[str, Any]]) -> "_Run":
        return cls(int(rng.integers(2**31)), calls)

    def play(self, marking: Marking, seconds: float) -> str | None:
        """Run it; a hint if nothing comes of it."""
        played = SCENE.play(
            marking,
            WORKERS,
            seconds,
            probe="scheduling_probe",
            seed=self.seed,
            calls=self.calls,
            patience=PATIENCE,
        )
        if played.hint is not None:
            return played.hint
        told = [parts_of(rank, 2) for rank in played.ranks]
        self.ranks = [parts_of(returned, len(self.calls)) for returned, _ in told]
        self.books = [dictionary(book) for book in parts_of(told[0][1], len(self.calls))]
        return None

    def begun(self, place: int) -> list[tuple[int, int]]:
        """Units and the ranks that began them, in order."""
        begun = self.books[place].get("begun")
        if not isinstance(begun, list):
            raise NoAnswerError("it gave no answer")
        pairs = [tuple(parts_of(pair, 2)) for pair in begun]
        if not all(isinstance(number, int) for pair in pairs for number in pair):
            raise NoAnswerError("it gave no answer")
        return pairs

    def miscounted(self, place: int) -> str | None:
        """None if each unit was done exactly once, else a hint."""
        units, returned = self.calls[place]["units"], [rank[place] for rank in self.ranks]
        done = Counter(unit for unit, _ in self.begun(place))
        if not done and units and all(value is None for value in returned):
            return NOT_WRITTEN if place == 0 else "a second call does nothing"
        if not done and units:
            return (
                "a second call with the same store does no unit: a count that was left by the "
                "first call goes on from there"
            )
        missing = [unit for unit in range(units) if not done[unit]]
        if missing == [0]:
            return (
                "unit 0 is never done: store.add returns the count after it has added, and units "
                "are counted from 0"
            )
        if missing:
            return f"{len(missing)} of {units} units are never done"
        if min(done.values(), default=1) == WORKERS == max(done.values(), default=0):
            return "every rank does every unit: take a unit off a count that all ranks share"
        if max(done.values(), default=1) > 1:
            return "some units are done more than once: two ranks took the same one"
        return None

    def wrong(self, place: int) -> str | None:
        """None if every rank returned all results in order, else a hint."""
        units = self.calls[place]["units"]
        right = [result(self.seed, place, unit) for unit in range(units)]
        lists = [rank[place] for rank in self.ranks]
        lists = [_entries(value) for value in lists]
        if all(value == right for value in lists):
            return None
        if any(value is None for value in lists):
            return "every rank returns a list with one number for each unit; some return none"
        if any(value == right for value in lists):
            return "one rank has all results, and the others have not"
        own = [
            {right[unit] for unit, by in self.begun(place) if by == rank} for rank in range(WORKERS)
        ]
        if all(
            {x for x in value if x} == mine or len(value) < units
            for value, mine in zip(lists, own, strict=True)
        ):
            return "each rank has the results of its own units only: gather those of all ranks"
        if all(sorted(map(_order, value)) == sorted(right) for value in lists):
            return "all results are there, but not in the order of the units"
        return "the results are not those of the units"

    def idle(self, place: int) -> str | None:
        """None if whoever was free first began the next unit, else a hint."""
        begun, costs = self.begun(place), self.calls[place]["costs"]
        counts = Counter(rank for _, rank in begun)
        if len(counts) < WORKERS:
            return (
                "a rank does no unit at all: one that only hands units out is idle while the "
                "others work"
            )
        clocks = np.zeros(WORKERS)
        for unit, rank in begun:
            if clocks[rank] > clocks.min() + 1e-9:
                return _idle_hint(begun)
            clocks[rank] += costs[rank][unit]
        if self.books[place].get("idle") != []:
            return _idle_hint(begun)
        return None


def _idle_hint(begun: Sequence[tuple[int, int]]) -> str:
    by_rank = [[unit for unit, by in begun if by == rank] for rank in range(WORKERS)]
    if all(units == list(range(rank, len(begun), WORKERS)) for rank, units in enumerate(by_rank)):
        return (
            "every rank does every third unit, whatever they cost: a rank that is done early has "
            "nothing to do, while others have units waiting"
        )
    return (
        "a rank is idle while units are left that nobody has begun: take one unit at a time, and "
        "meet the other ranks only when no unit is left"
    )


def _entries(value: Any) -> list | None:
    """Entries of a list as numbers; None if it is no list."""
    return [wire.number(one) for one in value] if isinstance(value, list) else None


def _order(value: float | None) -> float:
    return -1.0 if value is None else value


SCHEDULING = SchedulingCheck(
    "work_off",
    once=Item("sched_once", 1, "each unit is done exactly once"),
    results=Item("sched_results", 1, "every rank has all results"),
    idle=Item("sched_idle", 1, "no rank is idle while units are left"),
    again=Item("sched_again", 1, "several calls, few units, and none"),
)
