"""Marks a training script by what it does on two ranks: exact counts, and never its speed.

The ranks count what they do, and they run the student's code, so a count of theirs alone proves
nothing. Parameters and losses are compared with a serial run that is worked out here, and the
system's own count of bytes and packets has to fit what the ranks say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing
from amdahl_lab.grading.measuring import dictionary
from amdahl_lab.grading.rank_questions import ask_ranks
from amdahl_lab.grading.serial_reference import batched_descent
from amdahl_lab.grading.session import NoAnswerError

WORKERS, STEPS, BATCH, RATE = 2, 14, 64, 0.05
LAYERS = (64, 48, 40, 32, 24, 10)
PARAMETERS = sum((a + 1) * b for a, b in pairwise(LAYERS))
# An all-reduce of n bytes over N ranks moves 2 (N - 1) n over the wires, all together.
GRADIENT_BYTES = 2 * (WORKERS - 1) * 8 * PARAMETERS
ROW_BYTES = 8 * (LAYERS[0] + LAYERS[-1])
LEAST_BYTES = STEPS * (GRADIENT_BYTES + BATCH * ROW_BYTES)
# What may be done once, before the first step or after the last, beside what each step needs.
ONCE = 5
SENDING = ("collectives", "small_collectives", "broadcasts", "barriers")
COUNTS = (*SENDING, "numbers", "arrays", "buffers", "sent_bytes", "samples", "loads")


@dataclass(frozen=True)
class Limit:
    """How often a rank may do something.

    Parameters
    ----------
    count : str
        Name of the count, as in `COUNTS`.
    most : int
        How often.
    hint : str
        What to say where it was done more often; ``{}`` is replaced by how often.
    """

    count: str
    most: int
    hint: str


@dataclass(frozen=True)
class Bottleneck:
    """Something that a script can wait for and need not.

    Parameters
    ----------
    item : Item
        What mending it is worth.
    limits : tuple of Limit
        How it shows. All of them have to be kept.
    after : str
        Id of the item that has to be right first, or an empty text.
    """

    item: Item
    limits: tuple[Limit, ...]
    after: str = ""


@dataclass(frozen=True)
class MendedTrainingCheck:
    """Runs a student's ``train(model, load, batch, steps, rate)`` on two ranks and hidden data.

    Parameters
    ----------
    subject : str
        Name of the function.
    bottlenecks : tuple of Bottleneck
        What is to be mended. Nothing counts before the parameters are those of one worker.
    losses : str
        Id of the item that also needs the right losses.
    """

    subject: str
    bottlenecks: tuple[Bottleneck, ...]
    losses: str
    seconds: float = 60.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """One item for each bottleneck."""
        return tuple(one.item for one in self.bottlenecks)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run it once and look at parameters, losses and counts."""
        run = _Run(self.subject, int(marking.rng(self.subject).integers(2**31)))
        hint = run.take_place(marking, self.seconds) or run.difference() or run.contradiction()
        if hint is not None:
            return nothing(self.items, hint)
        verdicts: list[Verdict] = []
        for one in self.bottlenecks:
            hint = self._hint(one, run, verdicts)
            verdicts.append(Verdict(one.item, 0.0 if hint else one.item.points, hint or ""))
        return verdicts

    def _hint(self, one: Bottleneck, run: "_Run", so_far: Sequence[Verdict]) -> str | None:
        if any(verdict.item.id == one.after and verdict.points == 0 for verdict in so_far):
            return "counts once all gradients go in one message"
        for limit in one.limits:
            often = max(counts[limit.count] for counts in run.counts)
            if often > limit.most:
                return limit.hint.format(often)
        return run.wrong_losses() if one.item.id == self.losses else None


@dataclass
class _Run:
    """One hidden run on two ranks."""

    subject: str
    seed: int
    parameters: list[np.ndarray] = field(default_factory=list)
    losses: list[np.ndarray | None] = field(default_factory=list)
    counts: list[dict[str, int]] = field(default_factory=list)
    moved: tuple[int, int] | None = None

    def take_place(self, marking: Marking, seconds: float) -> str | None:
        """Run it; a hint if nothing comes of it."""
        question = {
            "probe": "training_probe",
            "seed": self.seed,
            "layers": list(LAYERS),
            "samples": STEPS * BATCH,
            "batch": BATCH,
            "rate": RATE,
        }
        answer = ask_ranks(marking, self.subject, WORKERS, question, seconds)
        self.moved = answer.moved
        if answer.hint is not None:
            return answer.hint
        for rank in map(dictionary, answer.ranks):
            said = dictionary(rank.get("counts"))
            counts = {name: wire.number(said.get(name)) for name in COUNTS}
            parameters = wire.numbers(rank.get("parameters"))
            if parameters is None or parameters.shape != (PARAMETERS,):
                raise NoAnswerError("it gave no parameters")
            if not all(count is not None and 0 <= count < 1e9 for count in counts.values()):
                raise NoAnswerError("it gave no counts")
            self.parameters.append(parameters)
            self.losses.append(wire.numbers(rank.get("losses")))
            self.counts.append({name: int(count) for name, count in counts.items()})
        return None

    def difference(self) -> str | None:
        """None if every rank has the parameters of the serial run, else a hint."""
        if all(_close(rank, self._serial()) for rank in self.parameters):
            return None
        if all(_close(rank, self._first()) for rank in self.parameters):
            return "not written yet: the parameters are what they were before the first step"
        if all(
            _close(rank, self._serial(2.0 * (i == 0), 2.0 * (i == 1)))
            for i, rank in enumerate(self.parameters)
        ):
            return "each rank trains alone, on its own gradient"
        if not _close(self.parameters[0], self.parameters[1]):
            return "the ranks end with different parameters: every rank needs the same gradient"
        if _close(self.parameters[0], self._serial(2.0, 2.0)):
            return "the gradients are summed over the ranks; their mean is asked for"
        if np.allclose(self.parameters[0], self._serial(), rtol=1e-3, atol=1e-4):
            return (
                "the parameters are those of one worker in the first digits only: are gradients "
                "sent in fewer than the 64 bits that they have?"
            )
        return (
            "the parameters differ from those of one worker: does step i take samples i * batch "
            "to (i + 1) * batch, each of them on one rank?"
        )

    def contradiction(self) -> str | None:
        """None if the system counted what the ranks say that they sent and loaded, else a hint."""
        if self.moved is None:
            return None  # without a sandbox nobody else counts
        moved, packets = self.moved
        if moved < 0.95 * LEAST_BYTES:
            return (
                "the parameters are right, but fewer bytes went from rank to rank than the "
                "gradients and the samples have"
            )
        said = sum(rank["sent_bytes"] + rank["samples"] * ROW_BYTES for rank in self.counts)
        calls = sum(rank[name] for rank in self.counts for name in SENDING)
        loads = sum(rank["loads"] for rank in self.counts)
        most_bytes = 1.1 * said + 400 * (calls + loads) + 50_000
        # A collective takes near 12 packets here, a load near 5, and the start near 150. On a busy
        # machine they are fewer, as one acknowledges several.
        if moved > most_bytes or packets > 25 * calls + 10 * loads + 800:
            return (
                "the ranks say that they sent and loaded less than the system counted on their "
                "connection"
            )
        return None

    def wrong_losses(self) -> str | None:
        """None if every rank has the losses of the whole batches, else a hint."""
        right = batched_descent(self.seed, LAYERS, STEPS * BATCH, BATCH, RATE)[1]
        for losses in self.losses:
            if losses is None or losses.shape != right.shape:
                return "return the losses of all steps: one number for each step"
            if not np.allclose(losses, right, rtol=1e-6):
                return (
                    "a loss is the mean over the whole batch, on both ranks: what each rank has "
                    "is the mean over its own half"
                )
        return None

    def _serial(self, *parts: float) -> np.ndarray:
        parts = parts or (1.0,)
        return batched_descent(self.seed, LAYERS, STEPS * BATCH, BATCH, RATE, parts)[0]

    def _first(self) -> np.ndarray:
        return batched_descent(self.seed, LAYERS, STEPS * BATCH, BATCH, 0.0)[0]


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-8, atol=1e-10))
