"""Exercise 2: data parallelism with buckets, on two ranks."""

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

LAYERS, STEPS, RATE, WORKERS = (12, 24, 20, 16, 3), 6, 0.05, 2
PARAMETERS = sum((a + 1) * b for a, b in pairwise(LAYERS))
BYTES = 8 * PARAMETERS
# Gloo's all-reduce over two ranks takes near 31 packets, 16 of which carry something and the rest
# acknowledge. The broadcasts at the start come on top, and headers on each.
FEWEST_PACKETS_EACH, PACKETS_EACH, PACKETS_MORE, PACKET_BYTES = 13, 48, 200, 110
LATER = "counts once the parameters are right for shards of different size"
SCENE = Scene(
    "buckets",
    ("train",),
    "the ranks wait for each other without end: does every rank call the same collectives in the "
    "same order, also with fewer samples?",
)


@dataclass(frozen=True)
class BucketsCheck:
    """Trains with a student's ``train`` on hidden data and looks at every all-reduce.

    Parameters
    ----------
    subject : str
        Name of the function.
    equal, unequal, number, size : Item
        Same parameters as one worker with equal shards, with unequal ones; how many all-reduces a
        step, and how large the largest.
    """

    subject: str
    equal: Item
    unequal: Item
    number: Item
    size: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.equal, self.unequal, self.number, self.size)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run twice on two ranks and compare."""
        rng = marking.rng(self.subject)
        first = _Training(int(rng.integers(2**31)), (9, 9), 8 * int(rng.integers(420, 460)))
        hint = first.run(marking) or first.difference()
        if hint is not None and not first.parameters:
            return nothing(self.items, hint)
        verdicts = [_verdict(self.equal, hint)]
        more, fewer = int(rng.integers(12, 16)), int(rng.integers(3, 6))
        second = _Training(int(rng.integers(2**31)), (more, fewer), 8 * int(rng.integers(320, 380)))
        hint = second.run(marking) or second.difference()
        verdicts.append(_verdict(self.unequal, hint))
        if hint is not None:
            later = hint if hint == NOT_WRITTEN else LATER
            return [*verdicts, *nothing(self.items[2:], later)]
        runs = (first, second) if verdicts[0].points else (second,)
        for item, hints in (
            (self.number, [run.wrong_number() for run in runs]),
            (self.size, [run.wrong_size() for run in runs]),
        ):
            verdicts.append(_verdict(item, next((hint for hint in hints if hint), None)))
        return verdicts


def _verdict(item: Item, hint: str | None) -> Verdict:
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


class _Training:
    """One hidden run on two ranks."""

    def __init__(self, seed: int, shards: Sequence[int], bucket_bytes: int) -> None:
        self.seed, self.shards, self.bucket_bytes = seed, shards, bucket_bytes
        self.played: Played | None = None
        self.parameters: list[np.ndarray] = []
        self.calls: list[list[Call]] = []

    def run(self, marking: Marking) -> str | None:
        """Run it; a hint if nothing comes of it."""
        self.played = SCENE.play(
            marking,
            WORKERS,
            8.0,
            seed=self.seed,
            layers=list(LAYERS),
            shards=list(self.shards),
            steps=STEPS,
            rate=RATE,
            bucket_bytes=self.bucket_bytes,
        )
        if self.played.hint is not None:
            return self.played.hint
        for rank in self.played.ranks:
            values, calls = parts_of(rank, 2)
            array = wire.numbers(values)
            if array is None or array.shape != (PARAMETERS,):
                raise NoAnswerError("it gave no parameters")
            self.parameters.append(array)
            self.calls.append(calls_of(calls))
        return None

    def serial(self, weights: Sequence[float] | None = None) -> np.ndarray:
        """Parameters of one worker, with other weights of the shards where that is a mistake."""
        return serial_parameters(self.seed, LAYERS, self.shards, STEPS, RATE, weights)

    def difference(self) -> str | None:
        """None if every rank has the parameters of the serial run, else a hint."""
        first, second = self.parameters
        if all(_close(rank, self.serial()) for rank in self.parameters):
            # Over two ranks an all-reduce of n bytes moves 2 n.
            if self.played.less_than(STEPS * 2 * BYTES):
                return "the parameters are right, but hardly a byte went from rank to rank"
            return None
        kinds = {call.kind for calls in self.calls for call in calls}
        if not kinds and np.array_equal(first, _started(self.seed)):
            return NOT_WRITTEN
        if not kinds or _close(first, self.serial([1.0, 0.0])):
            return "each rank trains alone, on its own gradient: nothing is summed over the ranks"
        if not _close(first, second):
            if kinds <= {"allreduce", "allreduce_coalesced"}:
                return (
                    "the ranks end apart because they start apart: rank 0's parameters have to "
                    "reach the others before the first step"
                )
            return "the ranks end with different parameters: every rank needs the same gradient"
        if np.array_equal(first, _started(self.seed)):
            return "no step was taken: the parameters are those of rank 0's start"
        if _close(first, self.serial([1.0, 1.0])):
            return (
                "the gradients of the shards' means are summed: a mean over all samples weighs "
                "each shard by its share of the samples"
            )
        if _close(first, self.serial([1 / WORKERS] * WORKERS)):
            return (
                "every rank counts the same here, whatever the size of its shard; a mean over all "
                "samples weighs each shard by its share of the samples"
            )
        if _close(first, self.serial([float(size) for size in self.shards])):
            return "the gradients are weighted by samples, but not divided by the total"
        return "the parameters differ from those of one worker with all samples"

    def reduced(self) -> list[list[int]]:
        """Bytes of each all-reduce, of each rank."""
        return [[c.bytes for c in calls if c.kind.startswith("allreduce")] for calls in self.calls]

    def wrong_number(self) -> str | None:
        """None if each step takes as many all-reduces as it needs, else a hint."""
        kinds = {call.kind for calls in self.calls for call in calls}
        needed = -(-BYTES // self.bucket_bytes)
        if kinds - {"allreduce", "allreduce_coalesced", "broadcast", "barrier"}:
            return "other calls than broadcast and all_reduce were made, or other messages sent"
        counts = {len(sizes) for sizes in self.reduced()}
        if max(counts) > STEPS * needed:
            return (
                "more all-reduces than ceil(bytes / bucket_bytes) in a step: lay all gradients "
                "side by side first, and cut the row without regard to where a parameter ends"
            )
        packets = PACKETS_EACH * STEPS * needed + PACKETS_MORE
        if self.played.more_than(2 * (STEPS + 1) * BYTES + PACKET_BYTES * packets, packets):
            return "more went from rank to rank than the all-reduces that were counted"
        if self.played.less_than(0, FEWEST_PACKETS_EACH * min(counts)):
            return "less went from rank to rank than the all-reduces that were counted"
        return None

    def wrong_size(self) -> str | None:
        """None if no all-reduce is larger than a bucket and all gradients were sent."""
        for sizes in self.reduced():
            if sum(sizes) < STEPS * BYTES:
                return "fewer bytes were handed to all_reduce than there are gradients"
            if max(sizes, default=0) > self.bucket_bytes:
                return "an all-reduce is larger than bucket_bytes, the most that one may be"
        return None


def _started(seed: int) -> np.ndarray:
    return serial_parameters(seed, LAYERS, (1, 1), 0, RATE)


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-5, atol=1e-7))


BUCKETS = BucketsCheck(
    "train",
    equal=Item("buckets_equal", 1, "same parameters as one worker, equal shards"),
    unequal=Item("buckets_unequal", 1, "same parameters as one worker, unequal shards"),
    number=Item("buckets_number", 1, "no more all-reduces than buckets are needed"),
    size=Item("buckets_size", 1, "no all-reduce larger than a bucket"),
)
