"""Checks of real parallel runs: by their properties, never by their speed.

What counts is seen from outside: parameters are compared with a serial reference that the grader
works out itself, and bytes and packets are counted by the system on the sandbox's loopback.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswer
from amdahl_lab.grading.serial_reference import serial_parameters
from amdahl_lab.statistics import ratio_interval

LAYERS = (12, 24, 20, 16, 12, 3)
STEPS, RATE, WORKERS = 8, 0.05, 3
PARAMETERS = sum((a + 1) * b for a, b in zip(LAYERS[:-1], LAYERS[1:], strict=True))
# An all-reduce of n bytes over N ranks moves 2 (N - 1) n over the wires, all together.
LEAST_BYTES = STEPS * 2 * (WORKERS - 1) * 8 * PARAMETERS
# Headers and acknowledgements of so small messages, and the few bytes of the rendezvous.
EXTRA_SHARE, EXTRA_BYTES = 0.35, 12_000
# One all-reduce takes near 90 packets here, two near 110, one for each of ten parameters near 800.
MOST_PACKETS = STEPS * 300


@dataclass(frozen=True)
class AveragingCheck:
    """Trains with a student's ``average_gradients(model, samples)`` on hidden data and ranks.

    Parameters
    ----------
    subject : str
        Name of the function.
    equal, unequal, traffic : Item
        Same parameters as the serial run with equal shards, with unequal ones, and one message.
    """

    subject: str
    equal: Item
    unequal: Item
    traffic: Item
    seconds: float = 60.0

    @property
    def items(self) -> tuple[Item, ...]:
        """The three items."""
        return (self.equal, self.unequal, self.traffic)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run twice on three ranks and compare."""
        rng = marking.rng(self.subject)
        seeds = [int(seed) for seed in rng.integers(0, 2**31, size=2)]
        first = _Training(self.subject, seeds[0], [8, 8, 8])
        hint = first.run(marking, self.seconds)
        if hint is not None:
            return nothing(self.items, hint)
        verdicts = [_verdict(self.equal, first.difference())]
        second = _Training(self.subject, seeds[1], [13, 4, 7])
        hint = second.run(marking, self.seconds)
        if hint is not None:
            return [*verdicts, *nothing(self.items[1:], hint)]
        wrong = second.difference()
        verdicts.append(_verdict(self.unequal, wrong))
        if wrong is not None:
            message = "counts once the parameters are right for unequal shards"
            return [*verdicts, Verdict(self.traffic, 0.0, message)]
        return [*verdicts, _verdict(self.traffic, second.excess())]


def _verdict(item: Item, hint: str | None) -> Verdict:
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


@dataclass
class _Training:
    """One hidden run on three ranks."""

    subject: str
    seed: int
    shards: Sequence[int]
    parameters: list[np.ndarray] = field(default_factory=list)
    moved: tuple[int, int] | None = None

    def run(self, marking: Marking, seconds: float) -> str | None:
        """Run it; a hint if nothing comes of it."""
        before = marking.session.watch.loopback()
        question = {
            "function": self.subject,
            "workers": WORKERS,
            "seed": self.seed,
            "layers": list(LAYERS),
            "shards": list(self.shards),
            "steps": STEPS,
            "rate": RATE,
        }
        answer = marking.session.ask("ranks", question, seconds=seconds)
        after = marking.session.watch.loopback()
        if before is not None and after is not None and not marking.session.without_sandbox:
            self.moved = (after[0] - before[0], after[1] - before[1])
        if isinstance(answer, dict) and answer.get("raised") == "RankTimeout":
            return (
                "the ranks wait for each other without end: does every rank call the same "
                "collectives in the same order?"
            )
        hint = trouble([answer], self.subject)
        if hint is not None:
            return hint
        ranks = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(ranks, list) or len(ranks) != WORKERS:
            raise NoAnswer("it gave no parameters")
        arrays = [wire.numbers(rank) for rank in ranks]
        if any(array is None or array.shape != (PARAMETERS,) for array in arrays):
            raise NoAnswer("it gave no parameters")
        self.parameters = arrays
        return None

    def difference(self) -> str | None:
        """None if every rank has the parameters of the serial run, else a hint."""
        right = self._serial()
        if all(_close(rank, right) for rank in self.parameters):
            if self.moved is not None and self.moved[0] < LEAST_BYTES * 0.95:
                return "the parameters are right, but hardly a byte went from rank to rank"
            return None
        if all(_close(rank, _alone(self, i)) for i, rank in enumerate(self.parameters)):
            return "not written yet: each rank trains alone, on its own gradient"
        if not all(_close(rank, self.parameters[0]) for rank in self.parameters[1:]):
            return "the ranks end with different parameters: every rank needs the same gradient"
        if _close(self.parameters[0], _combined(self, [1.0] * WORKERS)):
            return "the gradients are summed over the ranks; their mean is asked for"
        if _close(self.parameters[0], _combined(self, [0.5] * WORKERS)):
            return "divide by the number of ranks, which need not be two"
        if _close(self.parameters[0], _combined(self, [1 / WORKERS] * WORKERS)):
            return (
                "every rank counts the same here, whatever the size of its shard; a mean over all "
                "samples weighs each rank by its samples"
            )
        return "the parameters differ from those of one worker with all samples"

    def excess(self) -> str | None:
        """None if no more was sent than an all-reduce takes, else a hint."""
        if self.moved is None:
            return None  # without a sandbox nobody counts
        moved, packets = self.moved
        if packets > MOST_PACKETS:
            return (
                "a message for every parameter: put all gradients into one flat tensor and send "
                "that once a step"
            )
        if moved > LEAST_BYTES * (1 + EXTRA_SHARE) + EXTRA_BYTES:
            return (
                "more bytes moved than an all-reduce takes, 2 (N - 1) times the gradient: are all "
                "gradients collected everywhere, or sent twice?"
            )
        return None

    def _serial(self) -> np.ndarray:
        return serial_parameters(self.seed, LAYERS, self.shards, STEPS, RATE)


def _combined(run: _Training, weights: list[float]) -> np.ndarray:
    return serial_parameters(run.seed, LAYERS, run.shards, STEPS, RATE, weights)


def _alone(run: _Training, rank: int) -> np.ndarray:
    weights = [float(other == rank) for other in range(WORKERS)]
    return serial_parameters(run.seed, LAYERS, run.shards, STEPS, RATE, weights)


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-5, atol=1e-7))


@dataclass(frozen=True)
class ProtocolCheck:
    """Watches which blocks a student's ``measure(block, rounds, rng)`` runs, and in which order."""

    item: Item
    subject: str
    rounds: int = 10
    seconds: float = 15.0

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
        times = np.concatenate([one, two])
        if not np.all(np.isfinite(times) & (times > 0)) or np.unique(times).size < times.size:
            return "these are not times that a clock gave"
        run = marking.runs.get(self.measured_in)
        if run is None or times.sum() * self.steps > run.seconds:
            return "these times add up to more than the cell took: report the run of this cell"
        needed = one.size * self.least_bytes_per_round
        if run.loopback_bytes is not None and run.loopback_bytes < needed:
            return "no training on two ranks took place in this cell, or fewer rounds than stated"
        right = np.array(serial_fraction_interval(one, two))
        if np.allclose(stated, right, rtol=1e-4, atol=1e-6):
            return None
        if np.allclose(stated, right[[0, 2, 1]], rtol=1e-4, atol=1e-6):
            return "the ends are exchanged: the low end of s belongs to the high end of the speedup"
        return "the stated s is not what these times give"
