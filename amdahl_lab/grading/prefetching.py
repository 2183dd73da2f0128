"""Checks that a student's loader loads ahead: the right batches, within bounds, to a clean end.

No check asks how fast anything was. That batches are loaded while a step runs is seen from the
step: it does not end before the batches ahead are there, so with a loader that works only when it
is asked it waits in vain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, verdict
from amdahl_lab.grading.loader_probe import VALUES, contents
from amdahl_lab.grading.loading import WORKERS, on_ranks
from amdahl_lab.grading.measuring import dictionary


@dataclass(frozen=True)
class PrefetchCheck:
    """Uses a student's ``prefetch(load, names, ahead)`` in steps on three ranks.

    Parameters
    ----------
    subject : str
        Name of the function.
    ahead, bound, end : Item
        Batches are loaded during the step before; no more than asked for; nothing is left behind.
    patience : float, seconds
        How long a step waits for the batches ahead.
    """

    subject: str
    ahead: Item
    bound: Item
    end: Item
    patience: float = 3.0
    seconds: float = 60.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The three items."""
        return (self.ahead, self.bound, self.end)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Run the steps and read the books."""
        scenarios = self._drawn(marking.rng(self.subject))
        before = marking.session.watch.loopback()
        answer = on_ranks(
            marking,
            self.subject,
            "prefetch",
            self.seconds,
            scenarios=scenarios,
            patience=self.patience,
        )
        after = marking.session.watch.loopback()
        if isinstance(answer, str):
            return nothing(self.items, answer)
        books = [_Books(scenario, answer, place) for place, scenario in enumerate(scenarios)]
        hint = next((hint for book in books if (hint := book.wrong()) is not None), None)
        if hint is None and before is not None and after is not None:
            sums = sum(book.sums for book in books)
            moved = (after[0] - before[0]) / (sums * 2 * (WORKERS - 1) * 8 * VALUES)
            if not marking.session.without_sandbox and moved < 0.9:
                hint = "the steps of these ranks did not take place"
        if hint is not None:
            later = "counts once batches are loaded ahead"
            rest = [Verdict(item, 0.0, later) for item in (self.bound, self.end)]
            return [Verdict(self.ahead, 0.0, hint), *rest]
        too_far = next((hint for book in books if (hint := book.too_far()) is not None), None)
        left = next((hint for book in books if (hint := book.left() or book.lost())), None)
        if left is None and any(book.is_missing for book in books):
            left = "the run stopped before its end"
        return [
            Verdict(self.ahead, self.ahead.points),
            verdict(self.bound, too_far),
            verdict(self.end, left),
        ]

    @staticmethod
    def _drawn(rng: np.random.Generator) -> list[dict[str, Any]]:
        """Two whole epochs, one that is left early, one with a batch that can't be loaded."""
        plans = (
            {"ahead": 3, "batches": 7, "asks": 8, "broken": -1},
            {"ahead": 1, "batches": 4, "asks": 5, "broken": -1},
            {"ahead": 2, "batches": 8, "asks": 2, "broken": -1},
            {"ahead": 2, "batches": 6, "asks": 4, "broken": 3},
        )
        scenarios = []
        for plan in plans:
            count = plan.pop("batches")
            names = [rng.choice(10_000, size=count, replace=False).tolist() for _ in range(WORKERS)]
            scenarios.append({"seed": int(rng.integers(2**31)), "names": names, **plan})
        return scenarios


class _Books:
    """What the ranks wrote down in one scenario, read with care: it comes from inside."""

    def __init__(self, scenario: Mapping[str, Any], answer: list, place: int) -> None:
        self._scenario, self._first = scenario, place == 0
        self._books = [
            dictionary(rank[place]) if isinstance(rank, list) and len(rank) > place else {}
            for rank in answer
        ]

    @property
    def _handed_out(self) -> int:
        """Batches that are handed out if all is well."""
        loadable = self._scenario["broken"] if self._is_broken else len(self._scenario["names"][0])
        return min(loadable, self._scenario["asks"])

    @property
    def _is_broken(self) -> bool:
        """Whether a batch can't be loaded."""
        return self._scenario["broken"] >= 0

    @property
    def sums(self) -> int:
        """Vectors that the ranks add up: one whenever they ask, and one at the end."""
        return 0 if self.is_missing else self._scenario["asks"] + 1

    @property
    def is_missing(self) -> bool:
        """Whether the ranks stopped before: what they stopped at says why."""
        return not self._first and not any(self._books)

    def wrong(self) -> str | None:
        """Hint for batches that are not the right ones, or not loaded ahead."""
        if self._is_broken or self.is_missing:
            return None
        for rank, book in enumerate(self._books):
            if book.get("hung") is not False:
                return (
                    "a step waits without end for its next batch, or for the loader to close: "
                    "does your thread wait for something that never comes?"
                )
            raised = book.get("raised")
            if raised:
                name = raised if isinstance(raised, str) and raised.isidentifier() else "error"
                return f"prefetch stops with {name[:40]}"
            hint = self._unlike(rank, book) if book.get("late") == -1 else self._late(book)
            if hint is not None:
                return hint
        return None

    def _late(self, book: Mapping[str, Any]) -> str:
        late, loaded = wire.number(book.get("late")), wire.number(book.get("late_loaded"))
        if late is None or loaded is None or loaded <= late:
            return (
                "no batch is loaded while a step runs: a loader that works only when it is asked "
                "makes the step wait"
            )
        return (
            f"only {loaded - late:.0f} of {self._scenario['ahead']} batches are loaded ahead while "
            "a step runs"
        )

    def _unlike(self, rank: int, book: Mapping[str, Any]) -> str | None:
        names = self._scenario["names"][rank][: self._handed_out]
        right = [contents(self._scenario["seed"], name).tolist() for name in names]
        taken = book.get("taken")
        if taken == right:
            return None
        if isinstance(taken, list) and len(taken) == len(right):
            if sorted(map(str, taken)) == sorted(map(str, right)):
                return "the batches come in another order than their names"
            return "what is handed out must be what load returned for each name"
        return f"there are {len(right)} batches to hand out, no more and no fewer"

    def too_far(self) -> str | None:
        """Hint for more batches begun than the bound allows."""
        if self.is_missing:
            return None
        ahead = self._scenario["ahead"]
        most = [wire.number(book.get("most_ahead")) for book in self._books]
        if any(number is None for number in most):
            return "the bound could not be checked"
        for rank, book in enumerate(self._books):
            begun = book.get("begun")
            if not isinstance(begun, list) or len(begun) != len(set(map(str, begun))):
                return "a batch was loaded more than once"
            if not set(map(str, begun)) <= set(map(str, self._scenario["names"][rank])):
                return "a batch was loaded that is not this rank's"
        if max(most) == ahead + 1:
            return (
                "one batch too many: a queue with room for `ahead` batches is full, and one more "
                "waits in the hands of the thread; take a place before you load"
            )
        if max(most) > ahead:
            return (
                "the loader runs away from the steps: without a bound a fast one fills the memory"
            )
        return None

    def lost(self) -> str | None:
        """Hint for an error in `load` that did not reach the step in its place."""
        if not self._is_broken or self.is_missing:
            return None
        for rank, book in enumerate(self._books):
            if book.get("hung") is not False:
                return (
                    "load raised an error and the step waits without end: hand the error over, "
                    "and raise it where the batch is asked for"
                )
            if book.get("raised") != "LookupError":
                return "load raised an error, and the step never heard of it"
            if self._unlike(rank, book) is not None:
                return "the batches before the one that can't be loaded are good: hand them out"
        return None

    def left(self) -> str | None:
        """Hint for what stays behind."""
        if not self.is_missing and any(book.get("left") != 0 for book in self._books):
            if self._handed_out < len(self._scenario["names"][0]) and not self._is_broken:
                return (
                    "a loop that ends early leaves your thread behind, waiting for room in the "
                    "queue: end it in a finally clause"
                )
            return "when all batches are handed out, your thread must end too"
        return None
