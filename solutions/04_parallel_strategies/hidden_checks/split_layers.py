"""Exercise 4: two layers cut over two ranks, with one all-reduce each way."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.rank_scenes import layer_values
from amdahl_lab.grading.scenes import Call, Played, Scene, calls_of, parts_of

WORKERS = 2
PACKETS_EACH, PACKETS_MORE = 90, 200
LATER_CUT, LATER_FORWARD = "counts once the parts are right", "counts once the outputs are right"
SCENE = Scene(
    "split_layers",
    ("cut", "mlp"),
    "the ranks wait for each other without end: does every rank call the same collectives, forward "
    "and backward?",
)


@dataclass(frozen=True)
class SplitLayersCheck:
    """Cuts a hidden network with a student's ``cut`` and runs it with their ``mlp``.

    Parameters
    ----------
    subject : str
        Name of the function that runs it.
    cut, forward, backward, sums : Item
        What each rank holds; its outputs; its gradients; one all-reduce each way.
    """

    subject: str
    cut: Item
    forward: Item
    backward: Item
    sums: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.cut, self.forward, self.backward, self.sums)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run once on two ranks and compare with one."""
        run = _Run.drawn(marking.rng(self.subject))
        played = SCENE.play(
            marking, WORKERS, 8.0, seed=run.seed, sizes=[run.samples, run.inputs, *run.others]
        )
        if played.hint is not None:
            return nothing(self.items, played.hint)
        run.take(played)
        hint = run.wrong_parts()
        if hint is not None:
            later = hint if hint == NOT_WRITTEN else LATER_CUT
            return [Verdict(self.cut, 0.0, hint), *nothing(self.items[1:], later)]
        verdicts = [Verdict(self.cut, self.cut.points)]
        hint = run.wrong_outputs()
        if hint is not None:
            later = hint if hint == NOT_WRITTEN else LATER_FORWARD
            return [
                *verdicts,
                Verdict(self.forward, 0.0, hint),
                *nothing(self.items[2:], later),
            ]
        verdicts.append(Verdict(self.forward, self.forward.points))
        for item, hint in ((self.backward, run.wrong_gradients()), (self.sums, run.wrong_sums())):
            points = item.points if hint is None else 0.0
            verdicts.append(Verdict(item, points, hint or ""))
        return verdicts


@dataclass
class _Run:
    """One hidden network on two ranks, and what one worker makes of it."""

    seed: int
    samples: int
    inputs: int
    others: tuple[int, int]
    parts: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    forward: list[list[Call]] = field(default_factory=list)
    backward: list[list[Call]] = field(default_factory=list)
    played: Played | None = None
    raised: dict | None = None  # what mlp stopped with

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_Run":
        """Sizes all different, so that no cut can be mistaken for another."""
        hidden = 2 * int(rng.integers(9, 14))
        return cls(
            int(rng.integers(2**31)),
            int(rng.integers(150, 200)),
            2 * int(rng.integers(14, 18)),
            (hidden, 2 * int(rng.integers(3, 7))),
        )

    def __post_init__(self) -> None:
        sizes = (self.samples, self.inputs, *self.others)
        x, w1, b1, w2, b2, slope = layer_values(self.seed, sizes)
        h = np.tanh(x @ w1.T + b1)
        self.whole = (w1, b1, w2, b2)
        self.y = h @ w2.T + b2
        inner = slope @ w2 * (1 - h**2)
        self.slopes = (inner @ w1, inner.T @ x, inner.sum(0), slope.T @ h, slope.sum(0))
        self.shares_of_x = [
            inner[:, mine] @ w1[mine] for mine in np.array_split(np.arange(self.others[0]), WORKERS)
        ]

    def part(self, rank: int, w1: Any, b1: Any, w2: Any, b2: Any) -> tuple:
        """Rank's part of the parameters, or of their gradients."""
        mine = np.array_split(np.arange(self.others[0]), WORKERS)[rank]
        return w1[mine], b1[mine], w2[:, mine], b2

    def take(self, played: Played) -> None:
        """Take in what the ranks told."""
        self.played = played
        for rank in played.ranks:
            parts, forward, backward, raised = parts_of(rank, 4)
            self.parts.append(parts)
            self.raised = self.raised or (None if raised is None else {"raised": raised})
            values, calls = parts_of(forward, 2) if forward is not None else (None, [])
            self.outputs.append(values)
            self.forward.append(calls_of(calls))
            values, calls = parts_of(backward, 2) if backward is not None else (None, [])
            self.gradients.append(values)
            self.backward.append(calls_of(calls))

    def wrong_parts(self) -> str | None:
        """None if each rank holds its part, else a hint."""
        if all(parts is None for parts in self.parts):
            return NOT_WRITTEN
        for rank, parts in enumerate(self.parts):
            if not isinstance(parts, list) or len(parts) != 4:
                return "cut has to return four tensors"
            right = self.part(rank, *self.whole)
            if all(_equal(got, wanted) for got, wanted in zip(parts, right, strict=True)):
                continue
            return self._hint_for_parts(parts, right)
        return None

    def _hint_for_parts(self, parts: list, right: tuple) -> str:
        w1, b1, w2, b2 = self.whole
        shapes = [None if (a := wire.numbers(part)) is None else a.shape for part in parts]
        if shapes[:1] == [w1.shape]:
            return "every rank holds the whole first layer; cut it along its outputs"
        if shapes[:1] == [(w1.shape[0], w1.shape[1] // WORKERS)]:
            return (
                "the first layer is cut along its inputs: then its outputs are shares of sums, and "
                "tanh of a share is no share of the tanh; cut it along its outputs"
            )
        if shapes[1:2] == [b1.shape]:
            return "the first bias belongs to the outputs of the first layer; cut it with them"
        if shapes[2:3] == [w2.shape]:
            return "every rank holds the whole second layer; cut it along its inputs"
        if shapes[2:3] == [(w2.shape[0] // WORKERS, w2.shape[1])]:
            return (
                "the second layer is cut along its outputs, so each rank would need all hidden "
                "units; cut it along its inputs, the hidden units that the rank has"
            )
        if shapes[3:] == [(b2.shape[0] // WORKERS,)]:
            return "the second bias stays whole: every rank has all outputs in the end"
        return "a rank holds other rows or columns than its own; rank 0 has the first half"

    def wrong_outputs(self) -> str | None:
        """None if each rank has all outputs, else a hint."""
        if self.raised is not None:
            return trouble([self.raised], "mlp")
        got = [wire.numbers(values) for values in self.outputs]
        if all(values is None for values in self.outputs):
            return NOT_WRITTEN
        if any(array is None or array.shape != self.y.shape for array in got):
            return "mlp must return all outputs of all samples on each rank"
        if all(_close(array, self.y) for array in got):
            least = 2 * self.y.nbytes
            return "hardly a byte went from rank to rank" if self.played.less_than(least) else None
        b2 = self.whole[3]
        if all(_close(array, self.y + (WORKERS - 1) * b2) for array in got):
            return "the second bias is added on each rank and so counts N times in the sum"
        if any(_close(sum(got), self.y + extra * b2) for extra in (0, WORKERS - 1)):
            return "each rank has its share of the outputs; their sum is asked for"
        if all(_close(array, self.y / WORKERS) for array in got):
            return "this is the mean of the shares; their sum is asked for"
        if all(_close(array, self.y - b2) for array in got):
            return "the second bias is missing"
        return "the outputs differ from those of one worker"

    def wrong_gradients(self) -> str | None:
        """None if all gradients are those of one worker, else a hint."""
        for rank, values in enumerate(self.gradients):
            got = [None if value is None else wire.numbers(value) for value in parts_of(values, 5)]
            of_x, *of_parts = self.slopes
            right = (of_x, *self.part(rank, *of_parts))
            if any(a is None or a.shape != b.shape for a, b in zip(got, right, strict=True)):
                return "a gradient is missing: the backward pass has to reach x and all four parts"
            if all(_close(a, b) for a, b in zip(got, right, strict=True)):
                continue
            if _close(got[0], self.shares_of_x[rank]) and all(map(_close, got[1:], right[1:])):
                return (
                    "the gradient of x is only this rank's share: x enters both ranks, so on the "
                    "way back their gradients have to be summed"
                )
            if all(_close(a, WORKERS * b) for a, b in zip(got[3:4], right[3:4], strict=True)):
                return (
                    "gradients come out N times too large: the outputs are the same on each rank, "
                    "so on the way back through their sum the gradient passes unchanged"
                )
            return "a gradient differs from that of one worker"
        if self.played.less_than(2 * (self.y.nbytes + self.slopes[0].nbytes)):
            return "the gradients are right, but hardly a byte went from rank to rank"
        return None

    def wrong_sums(self) -> str | None:
        """None if there is one all-reduce each way and nothing else, else a hint."""
        sizes = {"forward": self.y.nbytes, "backward": self.slopes[0].nbytes}
        for way, ranks in (("forward", self.forward), ("backward", self.backward)):
            for calls in ranks:
                kinds = [call.kind for call in calls]
                if kinds.count("allreduce") > 1 or len(kinds) > 1:
                    return f"more than one collective on the way {way}"
                if kinds != ["allreduce"]:
                    return f"one all-reduce is needed on the way {way}, and there is none"
                if calls[0].bytes > sizes[way]:
                    return f"the all-reduce on the way {way} is larger than it has to be"
        if self.played.more_than(
            2 * sum(sizes.values()) * 1.05, PACKETS_EACH * len(sizes) + PACKETS_MORE
        ):
            return "more went from rank to rank than the all-reduces that were counted"
        return None


def _equal(got: Any, wanted: np.ndarray) -> bool:
    array = wire.numbers(got)
    return array is not None and array.shape == wanted.shape and np.array_equal(array, wanted)


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-8, atol=1e-9))


SPLIT_LAYERS = SplitLayersCheck(
    "mlp",
    cut=Item("layers_cut", 1, "each rank holds its part of both layers"),
    forward=Item("layers_forward", 1, "the outputs of one worker"),
    backward=Item("layers_backward", 1, "the gradients of one worker"),
    sums=Item("layers_sums", 1, "one all-reduce each way"),
)
