"""Exercise 4: a benchmark with six flaws, watched from outside while it runs."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble, verdict
from amdahl_lab.grading.measuring import dictionary

ROUNDS, WARMUPS, THREADS = 12, 3, 4
NAMES = ("old", "new")
MOST_CALLS = 1500
TAKES = {
    "load": ("number",),
    "old": ("batch", "threads"),
    "new": ("batch", "threads"),
    "wait": ("job",),
    "clock": (),
}


@dataclass(frozen=True)
class Event:
    """One call of the script: what, with which whole numbers, what came back, and until when."""

    name: str
    given: tuple[int, ...]
    gave: float
    until: float


@dataclass(frozen=True)
class Run:
    """One run of the old or new version, and what lies between the looks at the clock around it."""

    name: str
    batch: int
    threads: int
    seconds: float
    between: tuple[str, ...]  # what was called between these looks, itself included
    waited: bool


@dataclass
class Workbench:
    """Loads batches, runs both versions of a program and has a clock; writes down every call."""

    rng: np.random.Generator
    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    batches: dict[int, int] = field(default_factory=dict)  # what load gave: number of the batch
    jobs: dict[int, float] = field(default_factory=dict)  # what a version gave: when it is done

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer one call."""
        name = message["callback"]
        if len(self.events) >= MOST_CALLS:
            return {"error": "too many calls"}
        by_place, by_name = message["arguments"], message.get("named") or {}
        if set(by_name) != set(TAKES[name][len(by_place) :]):
            return {"error": f"{name} takes {len(TAKES[name])} arguments"}
        values = [*by_place, *(by_name[each] for each in TAKES[name][len(by_place) :])]
        given = [wire.number(value) for value in values]
        if any(value is None or value != value // 1 for value in given):
            return {"error": f"{name} takes whole numbers and what load, old and new give"}
        problem, gave = self._work(name, tuple(int(value) for value in given))
        return {"error": problem} if problem else {"value": gave}

    def _work(self, name: str, given: tuple[int, ...]) -> tuple[str, float]:
        if len(given) != len(TAKES[name]):
            return f"{name} takes {len(TAKES[name])} arguments", 0.0
        gave: float = 1000 * (len(self.events) + 1) + int(self.rng.integers(1000))
        self.now += float(self.rng.uniform(1e-5, 2e-5))
        if name == "clock":
            gave = 77.0 + self.now
        elif name == "load":
            self.now += float(self.rng.uniform(0.2, 0.4))
            self.batches[int(gave)] = given[0]
        elif name == "wait":
            if given[0] not in self.jobs:
                return "wait takes what old or new gave", 0.0
            self.now = max(self.now, self.jobs[given[0]])
        else:
            if given[0] not in self.batches or not 1 <= given[1] <= 64:
                return f"{name} takes what load gave and 1 to 64 threads", 0.0
            cold = sum(event.name == name for event in self.events) < WARMUPS
            seconds = float(self.rng.uniform(0.05, 0.1)) / given[1] ** 0.8 * (4 if cold else 1)
            self.jobs[int(gave)] = self.now + seconds
        self.events.append(Event(name, given, gave, self.now))
        return "", gave

    def runs(self) -> list[Run]:
        """All runs in turn."""
        found = []
        for place, event in enumerate(self.events):
            if event.name not in NAMES:
                continue
            looks = [k for k, other in enumerate(self.events) if other.name == "clock"]
            first = max((k for k in looks if k < place), default=None)
            last = min((k for k in looks if k > place), default=None)
            inside = self.events[first + 1 : last] if None not in (first, last) else []
            ends = [self.events[k].gave for k in (first, last)] if inside else [0.0, np.nan]
            waited = any(e.name == "wait" and e.given[0] == event.gave for e in inside)
            names = tuple(each.name for each in inside)
            batch = self.batches[event.given[0]]
            found.append(Run(event.name, batch, event.given[1], ends[1] - ends[0], names, waited))
        return found


@dataclass(frozen=True)
class MendedCheck:
    """Runs a student's ``benchmark`` on a workbench of the grader's.

    Parameters
    ----------
    subject : str
        Name of the function.
    rounds, work, alike, cold : Item
        Rounds of both in drawn order; the finished work timed and nothing else; both versions on
        the same batch and threads; what was cold left out of the result.
    """

    subject: str
    rounds: Item
    work: Item
    alike: Item
    cold: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.rounds, self.work, self.alike, self.cold)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Hand in the workbench and look at the calls."""
        rng = marking.rng(self.subject)
        bench = Workbench(rng)
        case: list = [{"callback": name} for name in ("old", "new", "load", "wait", "clock")]
        case += [THREADS, ROUNDS, WARMUPS, {"rng": int(rng.integers(2**31))}]
        question = {"function": self.subject, "cases": [case]}
        answers = marking.session.ask("call", question, service=bench, seconds=20.0)
        hint = trouble(answers if isinstance(answers, list) else [{}], self.subject)
        runs = bench.runs()
        if hint is None and not runs:
            hint = "neither version was run"
        if hint is not None:
            return nothing(self.items, hint)
        return [
            verdict(self.rounds, _rounds_hint(runs)),
            verdict(self.work, _work_hint(runs)),
            verdict(self.alike, _alike_hint(runs)),
            verdict(self.cold, _cold_hint(runs, dictionary(answers[0].get("value")))),
        ]


def _pairs(runs: list[Run]) -> list[list[Run]]:
    return [runs[k : k + 2] for k in range(0, len(runs), 2)]


def _rounds_hint(runs: list[Run]) -> str | None:
    if len(runs) <= 2:
        return "one run of each says nothing of how much runs differ"
    pairs = [tuple(run.name for run in pair) for pair in _pairs(runs)]
    if any(set(pair) != set(NAMES) for pair in pairs):
        return (
            "each version has a stretch of time of its own, and a slow minute hits one of them: "
            "let every round run both"
        )
    if len(pairs) < ROUNDS + WARMUPS:
        return "fewer rounds than those that warm up and those that count"
    if len(set(pairs)) == 1:
        return "the same version comes first in every round: draw the order anew with rng"
    return None


def _work_hint(runs: list[Run]) -> str | None:
    if not any(run.between for run in runs):
        return "look at the clock before and after every run"
    if any("load" in run.between for run in runs):
        return "loading is timed together with the work"
    if not all(run.waited for run in runs):
        return (
            "the second look at the clock comes before the result is there: work that nobody "
            "waits for seems to take no time"
        )
    if any(len(run.between) != 2 for run in runs):
        return "between two looks at the clock lies one run and the wait for it, nothing else"
    return None


def _alike_hint(runs: list[Run]) -> str | None:
    if len({run.threads for run in runs}) > 1:
        return "one version gets more threads than the other"
    if runs[0].threads != THREADS:
        return "both get the number of threads that was asked for"
    if {run.name for run in runs} != set(NAMES):
        return "both versions have to be run"
    pairs = _pairs(runs)
    if any(len({run.batch for run in pair}) > 1 for pair in pairs):
        return "in one round, both versions work on the same batch: batches differ in length"
    return None


def _cold_hint(runs: list[Run], value: dict[str, Any]) -> str | None:
    for name in NAMES:
        got = wire.numbers(value.get(name))
        if got is None or got.ndim != 1:
            return "return a dictionary: 'old' and 'new' with a list of seconds each"
        taken = np.array([run.seconds for run in runs if run.name == name])
        if taken.size <= WARMUPS or (got.size == taken.size and np.allclose(got, taken)):
            return (
                "a program's first runs are slow: caches are empty and threads do not run yet; "
                "keep the warm-up rounds out of what you return"
            )
        wanted = taken[WARMUPS:]
        if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=1e-6):
            return (
                "for each version its seconds in the order of the rounds, one for each round "
                "after the warm-ups"
            )
    return None


MENDED = MendedCheck(
    "benchmark",
    rounds=Item("mended_rounds", 1, "rounds of both versions in drawn order"),
    work=Item("mended_work", 1, "the finished work is timed, and nothing else"),
    alike=Item("mended_alike", 1, "same batch and same threads for both"),
    cold=Item("mended_cold", 1, "what was cold is left out"),
)
