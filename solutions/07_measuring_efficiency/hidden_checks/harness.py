"""Exercise 1: a harness that finds three percent and keeps quiet where there is nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble, verdict
from amdahl_lab.grading.session import NoAnswerError

from .machines import ROUNDS, WARMUPS, Machine, machine

EQUAL, CHANGED, SKEWED = 100, 60, 30
# Measured on 500 draws of all machines: Student's t, the median and a bootstrap of paired rounds
# raise 0 to 17 alarms, find 59 or 60, hold 86 to 99% and see through 29 or 30. One standard error
# holds 56 to 78%; rounds that are not paired find 4 to 23.
MOST_ALARMS = 20  # of EQUAL
LEAST_FOUND = 51  # of CHANGED
LEAST_HELD = 0.82  # of EQUAL and CHANGED
LEAST_TYPICAL = 24  # of SKEWED
QUIET_FIRST = "counts once equal programs are called equal"


def _three(value: Any) -> np.ndarray | None:
    got = wire.numbers(value)
    if got is None or got.shape != (3,) or np.any(np.isnan(got)):
        return None
    return got


THREE = "return three numbers: estimate, low end, high end"


@dataclass(frozen=True)
class HarnessCheck:
    """Lets a student's ``compare`` judge many machines with known truth.

    Parameters
    ----------
    subject : str
        Name of the function.
    quiet, finds, holds, typical : Item
        Few alarms on A/A; a change of 3% found; the interval's coverage; not fooled by lucky runs.
    """

    subject: str
    quiet: Item
    finds: Item
    holds: Item
    typical: Item
    seconds: float = 60.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.quiet, self.finds, self.holds, self.typical)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Machines in an order drawn from the seed, so that nobody knows which is which."""
        rng = marking.rng(self.subject)
        # The truth, and the share of lucky runs.
        kinds = [(1.0, 0.0)] * EQUAL + [(1.03, 0.0), (1 / 1.03, 0.0)] * (CHANGED // 2)
        kinds += [(1.06, 0.04)] * SKEWED
        order = rng.permutation(len(kinds))
        seeds = rng.integers(2**31, size=len(kinds))
        drawn: dict[int, Machine] = {}

        def service(message: dict[str, Any]) -> dict[str, Any]:
            number = wire.number((message.get("arguments") or [None])[0])
            if number is None or not 0 <= number < len(kinds) or number != int(number):
                return {"error": "no such machine"}
            return {"value": wire.packed(self._machine(drawn, kinds, seeds, int(number)).table)}

        kinds = [kinds[place] for place in order]
        question = {"function": self.subject, "trials": len(kinds)}
        question |= {"rounds": ROUNDS, "warmups": WARMUPS}
        answers = marking.session.ask("compare", question, service=service, seconds=self.seconds)
        if not isinstance(answers, list) or not answers:
            raise NoAnswerError("it gave no answer")
        hint = trouble(answers, self.subject)
        if hint is not None:
            return nothing(self.items, hint)
        if len(answers) != len(kinds):
            raise NoAnswerError("it gave no answer")
        rows = [_three(one.get("value")) if isinstance(one, dict) else None for one in answers]
        if any(row is None for row in rows):
            return nothing(self.items, THREE)
        return self._points(np.array(kinds), np.array(rows), answers)

    def _machine(self, drawn: dict, kinds: list, seeds: np.ndarray, number: int) -> Machine:
        if number not in drawn:
            drawn[number] = machine(np.random.default_rng(int(seeds[number])), *kinds[number])
        return drawn[number]

    def _points(self, kinds: np.ndarray, rows: np.ndarray, answers: list) -> list[Verdict]:
        (truth, lucky), (_, low, high) = kinds.T, rows.T
        if np.any(low > high):
            return nothing(self.items, THREE + ", the low end first")
        equal, changed, skewed = (truth == 1), (truth != 1) & (lucky == 0), lucky > 0
        alarms = np.sum((low > 1) | (high < 1), where=equal)
        found = np.where(truth > 1, low > 1, high < 1)
        if np.all(((low > 1) == (truth < 1)) & ((high < 1) == (truth > 1)), where=changed):
            hint = "this is the time of b over that of a; the ratio is asked for the other way"
            found_hint = hint
        else:
            found_hint = (
                "too often a change of 3% is not found: divide the two times of each round before "
                "anything else, so that what slows down a whole round cancels, and take the "
                "interval of the typical ratio, not the range of the single ones"
            )
        held = np.mean((low <= truth) & (truth <= high), where=equal | changed)
        quiet = None if alarms <= MOST_ALARMS else _alarm_hint(answers)
        later = None if quiet is None else QUIET_FIRST
        verdicts = [verdict(self.quiet, quiet)]
        few = np.sum(found, where=changed) < LEAST_FOUND
        verdicts.append(verdict(self.finds, later or (found_hint if few else None)))
        hint = "far fewer of the intervals hold the truth than 95%" if held < LEAST_HELD else None
        verdicts.append(verdict(self.holds, hint))
        few = np.sum(found, where=skewed) < LEAST_TYPICAL
        hint = (
            "b is typically 6% faster, and a has a lucky run now and then: a program's best run "
            "says how lucky it can be"
        )
        verdicts.append(verdict(self.typical, later or (hint if few else None)))
        return verdicts


def _alarm_hint(answers: list) -> str:
    """What the order of the runs says about the reason of the alarms."""
    orders = [one.get("order") for one in answers if isinstance(one.get("order"), str)]
    rounds = [[order[k : k + 2] for k in range(0, len(order), 2)] for order in orders]
    if any(pair not in ("ab", "ba") for pairs in rounds for pair in pairs):
        return (
            "equal programs are told apart: the machine's speed drifts, and hits the program that "
            "runs later; let each round run both"
        )
    if all(len(set(pairs)) < 2 for pairs in rounds):
        return (
            "equal programs are told apart: something hits every second run, and with the same "
            "order in every round it hits always the same program"
        )
    return (
        "equal programs are told apart far more often than in 5 of 100 comparisons: does a "
        "warm-up round count, or is the interval too short?"
    )


@dataclass(frozen=True)
class ProtocolCheck:
    """Watches from outside what a student's ``compare`` runs, on a machine without noise.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the function.
    """

    item: Item
    subject: str
    rounds: int = 14
    warmups: int = 9
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Hand in two programs and a clock, and look at what is done with them."""
        rng = marking.rng(self.item.id)
        bench = _Bench.drawn(rng, self.rounds, self.warmups)
        case = [{"callback": name} for name in ("a", "b", "clock")]
        case += [self.rounds, self.warmups, {"rng": int(rng.integers(2**31))}]
        question = {"function": self.subject, "cases": [case]}
        answers = marking.session.ask("call", question, service=bench, seconds=20.0)
        hint = trouble(answers if isinstance(answers, list) else [{}], self.subject)
        return [verdict(self.item, hint or self._hint(bench, answers[0].get("value")))]

    def _hint(self, bench: "_Bench", value: Any) -> str | None:
        got, order = _three(value), bench.order
        if got is None:
            return THREE
        pairs = [order[k : k + 2] for k in range(0, len(order), 2)]
        if any(pair not in ("ab", "ba") for pair in pairs):
            return "a round runs each program once before the next round begins"
        if len(pairs) == self.rounds:
            return "the warm-up rounds come on top of the rounds that count"
        if len(pairs) != self.rounds + self.warmups:
            return "so many warm-up rounds and so many rounds as asked for, and no more"
        if len(set(pairs)) == 1:
            return "the order inside a round is always the same: draw it anew with rng"
        if np.allclose(got, bench.ratio, rtol=1e-6):
            return None
        if np.allclose(got, 1 / bench.ratio, rtol=1e-6):
            return "this is the time of b over that of a; the ratio is asked for the other way"
        if np.isclose(got[0], bench.ratio, rtol=1e-6):
            return (
                "the estimate is right; but the ratio is the same in every round, so that both "
                "ends are too"
            )
        return (
            "after the warm-up rounds the ratio is the same in every round of this machine, and "
            "another one comes out: what is between the two looks at the clock, and which "
            "rounds count?"
        )


@dataclass
class _Bench:
    """Two programs and a clock: cold at first, then of one ratio in every round."""

    ratio: float
    levels: np.ndarray  # of the rounds
    start: float
    warmups: int
    now: float = 0.0
    order: str = ""
    calls: Counter = field(default_factory=Counter)

    @classmethod
    def drawn(cls, rng: np.random.Generator, rounds: int, warmups: int) -> "_Bench":
        levels = np.exp(rng.normal(0, 0.4, rounds + warmups))
        return cls(float(rng.uniform(1.2, 1.8)), levels, float(rng.uniform(10, 1000)), warmups)

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        name = message["callback"]
        self.calls[name] += 1
        if message["arguments"] or message.get("named") or self.calls[name] > 500:
            return {"error": "it takes no arguments"}
        if name == "clock":
            return {"value": self.start + self.now}
        turn = len(self.order) // 2
        seconds = self.levels[min(turn, self.levels.size - 1)] * (self.ratio if name == "a" else 1)
        self.now += float(seconds * (5.0 if turn < self.warmups and name == "b" else 1.0))
        self.order += name
        return {"value": 0.0}


PROTOCOL = ProtocolCheck(
    Item("compare_protocol", 1, "rounds of both, warm-ups apart, order drawn"), "compare"
)
HARNESS = HarnessCheck(
    "compare",
    quiet=Item("compare_quiet", 1, "equal programs are called equal"),
    finds=Item("compare_finds", 1, "a change of 3% is found"),
    holds=Item("compare_holds", 1, "the interval holds the truth"),
    typical=Item("compare_typical", 1, "the typical run counts"),
)
