"""Exercise 1: a ring all-reduce, its sums, its messages and its bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing
from amdahl_lab.grading.rank_scenes import ring_values
from amdahl_lab.grading.scenes import Call, Played, Scene, calls_of, parts_of
from amdahl_lab.grading.session import NoAnswerError

LARGE, REPEATS = 18_000, 5  # 2, 3 and 4 divide it
BYTES = {"float64": 8, "float32": 4, "int64": 8}
# Gloo takes four to six packets for a message from rank to rank, two more for each 64 KB beyond the
# first, and near eight for each of the messages that its own all-reduce is made of.
PACKETS_EACH, PACKETS_MORE, PACKET_BYTES = 6.5, 40, 60_000
LATER = "counts once the sums are right"
SCENE = Scene(
    "ring",
    ("ring_all_reduce",),
    "the ranks wait for each other without end: a send waits until it is received, so where every "
    "rank sends before it receives, nobody ever receives; start the send with isend",
)


@dataclass(frozen=True)
class RingCheck:
    """Sums hidden tensors on two, three and four ranks and counts what is sent for it.

    Parameters
    ----------
    subject : str
        Name of the function.
    even, uneven, messages, bytes : Item
        Sums where N divides the elements and where not; the number of messages; their size.
    """

    subject: str
    even: Item
    uneven: Item
    messages: Item
    bytes: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.even, self.uneven, self.messages, self.bytes)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Two ranks first, where ranks that wait for each other cost little time."""
        rng = marking.rng(self.subject)
        runs: list[_Run] = []
        for workers, seconds, repeats in ((2, 6.0, 0), (3, 25.0, REPEATS), (4, 25.0, REPEATS)):
            run = _Run.drawn(rng, workers, repeats, rest=0)
            runs.append(run)
            hint = run.play(marking, seconds) or run.difference()
            if hint is not None:
                later = hint if hint == NOT_WRITTEN else LATER
                return [Verdict(self.even, 0.0, hint), *nothing(self.items[1:], later)]
            hint = run.other_means()
            if hint is not None:
                return nothing(self.items, hint)
        verdicts = [Verdict(self.even, self.even.points)]
        odd = _Run.drawn(rng, 3, 3, rest=1)
        hint = odd.play(marking, 15.0) or odd.difference() or odd.other_means()
        if hint is None:
            runs.append(odd)
        verdicts.append(_verdict(self.uneven, hint))
        verdicts.append(_verdict(self.messages, _first(run.miscounted() for run in runs)))
        verdicts.append(_verdict(self.bytes, _first(run.oversized() for run in runs)))
        return verdicts


def _verdict(item: Item, hint: str | None) -> Verdict:
    return Verdict(item, item.points) if hint is None else Verdict(item, 0.0, hint)


def _first(hints: Iterable[str | None]) -> str | None:
    return next((hint for hint in hints if hint is not None), None)


@dataclass
class _Run:
    """One hidden run: some tensors, then a large one again and again."""

    seed: int
    workers: int
    repeats: int
    large: int
    tensors: list
    played: Played | None = None

    @classmethod
    def drawn(cls, rng: np.random.Generator, workers: int, repeats: int, rest: int) -> "_Run":
        """Tensors of a few elements; with a rest, N divides the number of none of them."""
        n = int(rng.integers(3, 9))
        tensors = [
            [[workers * n + rest], "float64"],
            [[workers * (n + 2) + (workers - 1) * rest], "int64"],
        ]
        tensors.append([[5, workers * n + rest], "float32"])  # no multiple of 3 in either way
        return cls(int(rng.integers(2**31)), workers, repeats, LARGE + rest, tensors)

    def play(self, marking: Marking, seconds: float) -> str | None:
        self.played = SCENE.play(
            marking,
            self.workers,
            seconds,
            seed=self.seed,
            tensors=self.tensors,
            large=self.large,
            repeats=self.repeats,
        )
        return self.played.hint

    def told(self, place: int) -> list[tuple[np.ndarray, list[Call]]]:
        """What each rank told of one tensor."""
        told = []
        for rank in self.played.ranks:
            values, calls = parts_of(parts_of(rank, len(self.tensors) + self.repeats)[place], 2)
            array = wire.numbers(values)
            if array is None:
                raise NoAnswerError("it gave no numbers")
            told.append((array, calls_of(calls)))
        return told

    def difference(self) -> str | None:
        """None if every rank has every sum, else a hint."""
        for place, (shape, _) in enumerate(self.tensors):
            own = [
                ring_values(self.seed, place, rank, shape).ravel() for rank in range(self.workers)
            ]
            told = self.told(place)
            if any(array.shape != own[0].shape for array, _ in told):
                raise NoAnswerError("it gave no numbers")
            hint = _wrong([array for array, _ in told], own, any(calls for _, calls in told))
            if hint is not None:
                return hint
        places = np.arange(self.large)
        for repeat in range(self.repeats):
            ranks = range(self.workers)
            total = sum(ring_values(self.seed, 1000 + repeat, rank, [self.large]) for rank in ranks)
            right = [total.sum(), total @ places]
            for array, _ in self.told(len(self.tensors) + repeat):
                if array.shape != (2,) or not np.array_equal(array, right):
                    return "the sums of a large tensor are wrong"
        # An all-reduce of n bytes over N ranks moves 2 (N - 1) n, all ranks together.
        if self.played.less_than(2 * (self.workers - 1) * self.repeats * self.large * 8):
            return "the sums are right, but hardly a byte went from rank to rank"
        return None

    def sent(self) -> list[tuple[int, list[list[Call]]]]:
        """For each tensor the bytes of its largest part and what each rank sent."""
        sent = []
        for place, (shape, kind) in enumerate([*self.tensors, *self._large()]):
            part = -(-int(np.prod(shape)) // self.workers) * BYTES[kind]
            sent.append((part, [calls for _, calls in self.told(place)]))
        return sent

    def _large(self) -> list:
        return [[[self.large], "float64"]] * self.repeats

    def miscounted(self) -> str | None:
        """None if every rank sends 2 (N - 1) messages to one neighbour, else a hint."""
        N = self.workers
        for _, ranks in self.sent():
            steps = {(call.peer - rank) % N for rank, calls in enumerate(ranks) for call in calls}
            counts = {len(calls) for calls in ranks}
            if counts != {2 * (N - 1)}:
                return _count_hint(counts, N)
            if len(steps) != 1 or steps.isdisjoint({1, N - 1}):
                return "in a ring each rank sends to one rank only, always the same neighbour"
        return None

    def oversized(self) -> str | None:
        """None if no message is larger than the largest part, else a hint."""
        for part, ranks in self.sent():
            if any(call.bytes > part for calls in ranks for call in calls):
                return (
                    "a message is larger than a part: cut the tensor into N parts, and send one "
                    "part in each step, never the whole tensor"
                )
            if any(sum(c.bytes for c in calls) > 2 * (self.workers - 1) * part for calls in ranks):
                return "a rank sends more than 2 (N - 1) parts"
        return None

    def other_means(self) -> str | None:
        """None if send and receive did all of the work, also as the system saw it; else a hint."""
        calls = [call for _, ranks in self.sent() for calls in ranks for call in calls]
        if any(not call.is_send for call in calls):
            return (
                "a collective of PyTorch does the work: here it is for messages from rank to rank, "
                "with isend, irecv, send and recv"
            )
        sizes = [call.bytes for call in calls]
        packets = sum(PACKETS_EACH + 2 * (size // PACKET_BYTES) for size in sizes)
        if self.repeats and self.played.more_than(sum(sizes), packets + PACKETS_MORE):
            return "more went from rank to rank than the messages that were counted"
        return None


def _wrong(got: list[np.ndarray], own: list[np.ndarray], sent: bool) -> str | None:
    """None if all ranks have the sum of what each brought, else a hint."""
    workers, total = len(own), sum(own)
    if all(np.array_equal(array, total) for array in got):
        return None
    if not sent and all(np.array_equal(a, b) for a, b in zip(got, own, strict=True)):
        return NOT_WRITTEN
    if all(np.array_equal(a, b) for a, b in zip(got, own, strict=True)):
        return (
            "messages are sent, but the tensor stays as it was: the sums belong into it, in place"
        )
    if all(np.allclose(array, total / workers, atol=0.6) for array in got):
        return "this is the mean over the ranks; the sum is asked for"
    whole = total.size // workers * workers
    if whole < total.size and all(np.array_equal(a[:whole], total[:whole]) for a in got):
        return "where N does not divide the elements, the last few are left out: parts may differ"
    right = [set(np.flatnonzero(array == total).tolist()) for array in got]
    if all(right) and set().union(*right) == set(range(total.size)):
        return (
            "each rank has the sums of some part and not of all: after N - 1 steps the sums are "
            "there, one part on each rank, and N - 1 more steps hand them round"
        )
    if any(len(one) == total.size for one in right):
        return "some ranks have the sums and others do not"
    return "the sums are wrong: which part does each rank send in each step, and which arrives?"


def _count_hint(counts: set[int], workers: int) -> str:
    if counts <= {workers - 1}:
        return (
            "N - 1 messages from each rank: do whole tensors travel? Cut into N parts, it takes "
            "N - 1 steps to sum them and N - 1 to hand the sums round"
        )
    if len(counts) > 1:
        return (
            "some ranks send more messages than others: in a ring all ranks do the same in every "
            "step, and no rank is the one where everything comes together"
        )
    return "a ring takes 2 (N - 1) messages from each rank, one in each step"


RING = RingCheck(
    "ring_all_reduce",
    even=Item("ring_even", 1, "sums where N divides the elements"),
    uneven=Item("ring_uneven", 1, "sums where N does not divide the elements"),
    messages=Item("ring_messages", 1, "2 (N - 1) messages from each rank to its neighbour"),
    bytes=Item("ring_bytes", 1, "no message larger than a part"),
)
