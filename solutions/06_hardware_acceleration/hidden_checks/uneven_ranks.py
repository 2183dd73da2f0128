"""Exercise 4, second half: one training on ranks of unequal speed, with unequal shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing
from amdahl_lab.grading.scenes import Call, Played, Scene, calls_of, parts_of
from amdahl_lab.grading.serial_reference import serial_parameters
from amdahl_lab.grading.session import NoAnswerError

from .shares import best_shares

LAYERS, STEPS, RATE = (12, 24, 20, 16, 3), 6, 0.05
PARAMETERS = sum((a + 1) * b for a, b in pairwise(LAYERS))
BYTES = 8 * PARAMETERS
MORE_NUMBERS = 64  # bytes that may ride along: a loss, a count
# Gloo's all-reduce takes near 31 packets over two ranks and near 90 over three.
FEWEST_PACKETS, MOST_PACKETS = {2: 13, 3: 35}, {2: 48, 3: 130}
PACKETS_MORE, PACKET_BYTES = 200, 110
LATER = "counts once the parameters are those of one worker"
SCENE = Scene(
    "uneven",
    ("train",),
    "the ranks wait for each other without end: does every rank call the same collectives in the "
    "same order, also a rank with few samples or none?",
)


@dataclass(frozen=True)
class UnevenCheck:
    """Trains with a student's ``train`` on ranks whose samples cost different work.

    Parameters
    ----------
    subject : str
        Name of the function.
    same, none, own, sums : Item
        The parameters of one worker; also where a rank has no sample; no rank passes other samples
        through the model than its share; one all-reduce a step.
    """

    subject: str
    same: Item
    none: Item
    own: Item
    sums: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.same, self.none, self.own, self.sums)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run on two ranks, on three, and on three of which one is best left out."""
        rng = marking.rng(self.subject)
        runs = []
        for work in ([1, int(rng.integers(3, 6))], [2, 1, int(rng.integers(5, 8))]):
            run = _Training(int(rng.integers(2**31)), int(rng.integers(21, 34)), work)
            hint = run.play(marking) or run.difference()
            if hint is not None:
                later = hint if hint == NOT_WRITTEN or not run.parameters else LATER
                return [Verdict(self.same, 0.0, hint), *nothing(self.items[1:], later)]
            runs.append(run)
        verdicts = [Verdict(self.same, self.same.points)]
        idle = _Training(int(rng.integers(2**31)), int(rng.integers(14, 20)), [1, 40, 2])
        verdicts.append(_verdict(self.none, idle.play(marking, 6.0) or idle.difference()))
        for item, hints in (
            (self.own, [run.other_samples() for run in runs]),
            (self.sums, [run.other_sums() for run in runs]),
        ):
            verdicts.append(_verdict(item, next((hint for hint in hints if hint), None)))
        return verdicts


def _verdict(item: Item, hint: str | None) -> Verdict:
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


class _Training:
    """One hidden run; the shares are the best ones for the work of a sample on each rank."""

    def __init__(self, seed: int, batch: int, work: Sequence[int]) -> None:
        self.seed, self.batch, self.work = seed, batch, work
        self.shares = best_shares(batch, work)
        self.workers = len(work)
        self.played: Played | None = None
        self.parameters: list[np.ndarray | None] = []
        self.seen: list[list[int]] = []
        self.calls: list[list[Call]] = []

    def play(self, marking: Marking, seconds: float = 12.0) -> str | None:
        """Run it; a hint if nothing comes of it."""
        self.played = SCENE.play(
            marking,
            self.workers,
            seconds,
            seed=self.seed,
            layers=list(LAYERS),
            shares=self.shares,
            work=list(self.work),
            steps=STEPS,
            rate=RATE,
        )
        if self.played.hint is not None:
            return self.played.hint
        for rank in self.played.ranks:
            values, seen, calls = parts_of(rank, 3)
            array = wire.numbers(values)
            if values != "not finite" and (array is None or array.shape != (PARAMETERS,)):
                raise NoAnswerError("it gave no parameters")
            if not isinstance(seen, list) or not all(isinstance(n, int) for n in seen):
                raise NoAnswerError("it gave no samples")
            self.parameters.append(array)
            self.seen.append(seen)
            self.calls.append(calls_of(calls))
        return None

    def serial(self, weights: Sequence[float] | None = None, steps: int = STEPS) -> np.ndarray:
        """Parameters of one worker, with other weights of the shares where that is a mistake."""
        some = [place for place, share in enumerate(self.shares) if share > 0]
        shares = [self.shares[place] for place in some]
        if weights is not None:
            weights = [float(weights[place]) for place in some]
        return serial_parameters(self.seed, LAYERS, shares, steps, RATE, weights)

    def difference(self) -> str | None:
        """None if every rank has the parameters of the serial run, else a hint."""
        if any(one is None for one in self.parameters):
            return (
                "the parameters are no numbers any more: a share of 0 samples was divided by, and "
                "no weight makes that good"
            )
        first, N = self.parameters[0], self.workers
        if all(_close(one, self.serial()) for one in self.parameters):
            # An all-reduce of n bytes over N ranks moves 2 (N - 1) n, all ranks together.
            if self.played.less_than(STEPS * 2 * (N - 1) * BYTES):
                return "the parameters are right, but hardly a byte went from rank to rank"
            return None
        if np.array_equal(first, self.serial(steps=0)):
            sent = any(self.calls) or any(self.seen)
            return (
                "no step was taken: the parameters are those of the start" if sent else NOT_WRITTEN
            )
        alone = [[float(other == rank) for other in range(N)] for rank in range(N)]
        if all(
            self.shares[rank] > 0 and _close(one, self.serial(alone[rank]))
            for rank, one in enumerate(self.parameters)
        ):
            return "each rank trains alone, on its own gradient: nothing is summed over the ranks"
        if not all(_close(one, first) for one in self.parameters[1:]):
            return "the ranks end with different parameters: every rank needs the same gradient"
        for weights, hint in (
            (
                [1 / N] * N,
                "every rank counts the same here, whatever its share; a mean over the batch weighs "
                "each rank's mean by its share of the samples",
            ),
            (
                [1.0] * N,
                "the means of the shares are summed: weigh each by its share of the samples",
            ),
            (self.shares, "the gradients are weighted by samples, but not divided by the batch"),
            (
                [LAYERS[-1] * share / self.batch for share in self.shares],
                "the step is too long, as many times as the model has outputs: the loss of a "
                "sample is the mean over them and not their sum",
            ),
            (
                [share / self.batch / N for share in self.shares],
                "weighted by its share, each gradient is part of the mean already: sum them, and "
                "do not divide by the number of ranks once more",
            ),
        ):
            if _close(first, self.serial(weights)):
                return hint
        return "the parameters differ from those of one worker with the whole batch"

    def other_samples(self) -> str | None:
        """None if every rank passed its share through the model once a step, else a hint."""
        passed = [sum(seen) for seen in self.seen]
        right = [STEPS * share for share in self.shares]
        if passed == right:
            return None
        if all(count == STEPS * self.batch for count in passed):
            return "every rank passes the whole batch through the model: nothing is shared out"
        if sorted(passed) == sorted(right):
            return "the shares have gone to other ranks: shares[r] is that of rank r"
        return "a rank passes more or fewer samples through the model than its share, once a step"

    def other_sums(self) -> str | None:
        """None if there is one all-reduce a step and nothing else, else a hint."""
        for calls in self.calls:
            if any(call.kind not in ("allreduce", "allreduce_coalesced") for call in calls):
                return "another call than all_reduce was made"
            if len(calls) > STEPS:
                return (
                    "more than one all-reduce in a step: lay all gradients side by side, and sum "
                    "them in one message"
                )
            if len(calls) < STEPS:
                return "fewer all-reduces than steps were counted"
            if any(call.bytes > BYTES + MORE_NUMBERS for call in calls):
                return "an all-reduce is larger than the gradients are"
        least, most = FEWEST_PACKETS[self.workers], MOST_PACKETS[self.workers]
        packets = STEPS * most + PACKETS_MORE
        moved = STEPS * 2 * (self.workers - 1) * (BYTES + MORE_NUMBERS)
        if self.played.more_than(moved + PACKET_BYTES * packets, packets):
            return "more went from rank to rank than the all-reduces that were counted"
        if self.played.less_than(0, STEPS * least):
            return "less went from rank to rank than the all-reduces that were counted"
        return None


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-8, atol=1e-10))


TRAIN = UnevenCheck(
    "train",
    same=Item("uneven_same", 1, "same parameters as one worker, unequal shares"),
    none=Item("uneven_none", 1, "the same with a rank that has no samples"),
    own=Item("uneven_own", 1, "each rank computes its share"),
    sums=Item("uneven_sums", 1, "one all-reduce a step"),
)
