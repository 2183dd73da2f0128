"""Exercise 3: tables of embeddings dealt out over two and three ranks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing, trouble, verdict
from amdahl_lab.grading.rank_scenes import table_values
from amdahl_lab.grading.scenes import Call, Played, Scene, calls_of, parts_of

# What gloo's all-to-all takes for each pair of ranks and way, and what the start of the ranks does.
PACKETS_EACH, PACKETS_MORE, PACKET_BYTES = 24, 200, 110
NUMBER = 8  # bytes of a category or a feature
ALL_TO_ALL = {"alltoall_base", "all_to_all_single", "alltoall"}
LATER = "counts once the rows are right on three ranks too"
SCENE = Scene(
    "tables",
    ("lookup",),
    "the ranks wait for each other without end: does every rank take part in every exchange, "
    "forward and backward, also without a table?",
)


@dataclass(frozen=True)
class TablesCheck:
    """Looks hidden categories up with a student's ``lookup`` on two and on three ranks.

    Parameters
    ----------
    subject : str
        Name of the function.
    two, three, gradients, sent : Item
        The rows on two ranks; on three, unequal; the tables' gradients; the exchanges.
    """

    subject: str
    two: Item
    three: Item
    gradients: Item
    sent: Item
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.two, self.three, self.gradients, self.sent)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run twice and compare with one worker."""
        rng = marking.rng(self.subject)
        runs = [_Run.drawn(rng, 2), _Run.drawn(rng, 3)]
        verdicts: list[Verdict] = []
        for item, run in zip((self.two, self.three), runs, strict=True):
            hint = run.play(marking) or run.wrong_rows()
            verdicts.append(verdict(item, hint))
            if hint is not None and (hint == NOT_WRITTEN or not run.rows):
                left = self.items[len(verdicts) :]
                return [*verdicts, *nothing(left, hint if len(left) == 3 else LATER)]
        if any(each.points == 0 for each in verdicts):
            return [*verdicts, *nothing(self.items[2:], LATER)]
        for item, hints in (
            (self.gradients, [run.wrong_gradients() for run in runs]),
            (self.sent, [run.wrong_exchanges() for run in runs]),
        ):
            verdicts.append(verdict(item, next((hint for hint in hints if hint), None)))
        return verdicts


@dataclass
class _Run:
    """One hidden set of tables and samples, and what the ranks made of it."""

    seed: int
    counts: Sequence[int]  # rows of each table
    features: int
    owners: Sequence[int]
    shares: Sequence[int]
    rows: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    forward: list[list[Call]] = field(default_factory=list)
    backward: list[list[Call]] = field(default_factory=list)
    raised: str | None = None
    played: Played | None = None

    @classmethod
    def drawn(cls, rng: np.random.Generator, workers: int) -> "_Run":
        """Owners that alternate, so that the rows come back in another order than asked for."""
        tables = int(rng.integers(5, 7))
        counts = rng.permutation(np.arange(20, 20 + 7 * tables, 7)).tolist()
        if workers == 2:
            owners = [(t + 1) % 2 for t in range(tables)]
            shares = [int(rng.integers(60, 70))] * 2
        else:  # the one in the middle has no table
            first = int(rng.integers(2))
            owners = [2 * ((t + first) % 2) for t in range(tables)]
            shares = [int(n) for n in rng.permutation([48, 61, 77]) + rng.integers(0, 9)]
        features = int(rng.integers(11, 15))
        return cls(int(rng.integers(2**31)), counts, features, owners, shares)

    def __post_init__(self) -> None:
        self.whole, self.categories, self.slopes = table_values(
            self.seed, self.counts, self.features, self.shares
        )
        self.workers = len(self.shares)
        self.ends = np.cumsum([0, *self.shares])

    def owned(self, rank: int) -> list[int]:
        """Numbers of a rank's tables."""
        return [table for table, owner in enumerate(self.owners) if owner == rank]

    def play(self, marking: Marking) -> str | None:
        """Run it; a hint if nothing comes of it."""
        self.played = SCENE.play(
            marking,
            self.workers,
            8.0,
            seed=self.seed,
            rows=self.counts,
            features=self.features,
            owners=self.owners,
            shares=self.shares,
        )
        if self.played.hint is not None:
            return self.played.hint
        for rank in self.played.ranks:
            forward, backward, raised = parts_of(rank, 3)
            if forward is None:
                return NOT_WRITTEN
            rows, calls = parts_of(forward, 2)
            self.rows.append(wire.numbers(rows))
            self.forward.append(calls_of(calls))
            gradients, calls = parts_of(backward, 2) if backward is not None else (None, [])
            self.gradients.append(gradients)
            self.backward.append(calls_of(calls))
            self.raised = self.raised or (raised if isinstance(raised, str) else None)
        return None

    def _right(self, rank: int) -> np.ndarray:
        mine = self.categories[self.ends[rank] : self.ends[rank + 1]]
        found = [table[column] for table, column in zip(self.whole, mine.T, strict=True)]
        return np.stack(found, axis=1)

    def _least_bytes(self) -> int:
        """Bytes of rows that must go from rank to rank, one way."""
        foreign = [
            self.shares[r] * (len(self.owners) - len(self.owned(r))) for r in range(self.workers)
        ]
        return sum(foreign) * self.features * NUMBER

    def wrong_rows(self) -> str | None:
        """None if each rank has the rows of its samples, else a hint."""
        right = [self._right(rank) for rank in range(self.workers)]
        if all(
            got is not None and got.shape == wanted.shape and np.array_equal(got, wanted)
            for got, wanted in zip(self.rows, right, strict=True)
        ):
            if self.played.less_than(self._least_bytes()):
                return "the rows are right, but hardly a byte went from rank to rank"
            return None
        shape = [len(self.owners), self.features]
        if any(
            got is None or got.shape != w.shape for got, w in zip(self.rows, right, strict=True)
        ):
            return f"each rank must get rows of shape [its samples, {shape[0]}, {shape[1]}] here"
        order = [table for rank in range(self.workers) for table in self.owned(rank)]
        if all(
            np.array_equal(got, wanted[:, order])
            for got, wanted in zip(self.rows, right, strict=True)
        ):
            return (
                "the rows stand in the order of the ranks that sent them; the second axis must "
                "follow the tables' own numbers"
            )
        own = [self.owned(rank) for rank in range(self.workers)]
        if all(
            np.array_equal(got[:, mine], wanted[:, mine])
            for got, wanted, mine in zip(self.rows, right, own, strict=True)
        ):
            return "rows of a rank's own tables are right, and those of the others' are not"
        return (
            "the rows are others than one worker would find: in which order do the categories "
            "leave, and do owner and asker cut what comes in the same way?"
        )

    def wrong_gradients(self) -> str | None:
        """None if the tables have the gradients of one worker, else a hint."""
        if self.raised is not None:
            return trouble([{"raised": self.raised}], "the way back of lookup")
        for rank, given in enumerate(self.gradients):
            got = [
                None if each is None else wire.numbers(each)
                for each in parts_of(given, len(self.owners))
            ]
            hint = self._wrong_gradients_of(rank, got)
            if hint is not None:
                return hint
        if self.played.less_than(2 * self._least_bytes()):
            return "the gradients are right, but hardly a byte went from rank to rank"
        return None

    def _gradient(self, table: int, samples: slice) -> np.ndarray:
        total = np.zeros((self.counts[table], self.features))
        np.add.at(total, self.categories[samples, table], self.slopes[samples, table])
        return total

    def _wrong_gradients_of(self, rank: int, got: list) -> str | None:
        mine = self.owned(rank)
        if any(got[table] is None for table in mine):
            return "a table gets no gradient: the rows' gradients have to find back to it"
        right = [self._gradient(table, slice(None)) for table in mine]
        pairs = [(got[table], wanted) for table, wanted in zip(mine, right, strict=True)]
        if all(a.shape == b.shape and np.array_equal(a, b) for a, b in pairs):
            return None
        here = slice(self.ends[rank], self.ends[rank + 1])
        if all(np.array_equal(got[table], self._gradient(table, here)) for table in mine):
            return (
                "a table gets the gradients of its owner's own samples only; those of the other "
                "ranks' samples belong to it as well"
            )
        if all(np.allclose(a, b / self.workers) for a, b in pairs):
            return "gradients are divided by the ranks; one worker would add them up"
        if all(np.allclose(a, b * self.workers) for a, b in pairs):
            return "each gradient arrives once from every rank; it belongs to the owner once"
        return "the gradients of a table differ from those of one worker"

    def wrong_exchanges(self) -> str | None:
        """None if there are two all-to-alls forward, one backward, and no larger than needed."""
        for rank in range(self.workers):
            for way, calls, needed in (
                ("forward", self.forward[rank], 2),
                ("backward", self.backward[rank], 1),
            ):
                hint = self._wrong_calls(rank, way, calls, needed)
                if hint is not None:
                    return hint
        travels = 2 * self._least_bytes() * (1 + 1 / self.features)
        packets = 3 * PACKETS_EACH * self.workers * (self.workers - 1) + PACKETS_MORE
        if self.played.more_than(travels + PACKET_BYTES * packets, packets):
            return "more went from rank to rank than the all-to-alls that were counted"
        return None

    def _wrong_calls(self, rank: int, way: str, calls: list[Call], needed: int) -> str | None:
        others = {call.kind for call in calls} - ALL_TO_ALL
        if others:
            return (
                f"on the way {way} something else than all_to_all_single was called; an "
                "all-to-all brings each rank what it asked for and nothing more"
            )
        if len(calls) > needed:
            return (
                f"{len(calls)} all-to-alls on the way {way}, where {needed} do: how many numbers "
                "come follows from owners and shares, which every rank knows"
            )
        if len(calls) < needed:
            return (
                f"{len(calls)} all-to-alls on the way {way} were counted, and {needed} are needed"
            )
        asked = sum(self.shares) * len(self.owned(rank)) * NUMBER
        arrives = self.shares[rank] * len(self.owners) * self.features * NUMBER
        most = [asked, arrives] if way == "forward" else [asked * self.features]
        if any(call.bytes > limit for call, limit in zip(calls, most, strict=True)):
            return (
                f"more numbers than needed travel on the way {way}: an owner needs the categories "
                "of its own tables, and an asker one row for each"
            )
        return None


TABLES = TablesCheck(
    "lookup",
    two=Item("tables_two", 1, "rows on two ranks"),
    three=Item("tables_three", 1, "rows on three unequal ranks"),
    gradients=Item("tables_gradients", 1, "gradients of one worker with all tables"),
    sent=Item("tables_sent", 1, "three exchanges and no number too many"),
)
