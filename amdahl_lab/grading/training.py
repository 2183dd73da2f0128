"""Checks of real parallel runs: by their properties, never by their speed.

What counts is seen from outside: parameters are compared with a serial reference that the grader
works out itself, and bytes and packets are counted by the system on the sandbox's loopback.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing
from amdahl_lab.grading.rank_questions import ask_ranks
from amdahl_lab.grading.serial_reference import serial_parameters
from amdahl_lab.grading.session import NoAnswerError

LAYERS = (12, 24, 20, 16, 12, 3)
STEPS, RATE, WORKERS = 8, 0.05, 3
PARAMETERS = sum((a + 1) * b for a, b in pairwise(LAYERS))
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
    measured_in: ClassVar[str] = ""

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
        question = {
            "workers": WORKERS,
            "seed": self.seed,
            "layers": list(LAYERS),
            "shards": list(self.shards),
            "steps": STEPS,
            "rate": RATE,
        }
        answer = ask_ranks(marking, self.subject, WORKERS, question, seconds)
        self.moved = answer.moved
        if answer.hint is not None:
            return answer.hint
        arrays = [wire.numbers(rank) for rank in answer.ranks]
        if any(array is None or array.shape != (PARAMETERS,) for array in arrays):
            raise NoAnswerError("it gave no parameters")
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
