"""Checks of how a student's input pipeline cuts an epoch: which rank loads which samples, when."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError

WORKERS = 3
# Samples, global batch and epoch; neither 3 nor the batch divides all of them.
SETTINGS = ((37, 8, 0), (37, 8, 1), (60, 12, 0), (10, 4, 2))


@dataclass(frozen=True)
class PiecesCheck:
    """Asks on three ranks which samples a student's ``my_batches`` loads.

    Parameters
    ----------
    subject : str
        Name of ``my_batches(samples, batch, epoch, seed, rank, workers)``.
    cover, order : Item
        Each sample once and in step; new orders, and the same batches for every N.
    """

    subject: str
    cover: Item
    order: Item
    seconds: float = 60.0
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The two items."""
        return (self.cover, self.order)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask and compare."""
        seed = int(marking.rng(self.subject).integers(1, 10_000))
        settings = [[*setting, seed] for setting in SETTINGS]
        answer = on_ranks(marking, self.subject, "pieces", self.seconds, settings=settings)
        if isinstance(answer, str):
            return nothing(self.items, answer)
        asked = [_pieces(answer, place) for place in range(len(SETTINGS))]
        for (samples, batch, _), (ranks, _) in zip(SETTINGS, asked, strict=True):
            hint = _uncovered(ranks, samples, batch)
            if hint is not None:
                later = "counts once every sample is loaded once"
                return [Verdict(self.cover, 0.0, hint), Verdict(self.order, 0.0, later)]
        hint = _misordered(asked)
        last = Verdict(self.order, self.order.points if hint is None else 0.0, hint or "")
        return [Verdict(self.cover, self.cover.points), last]


def on_ranks(
    marking: Marking, subject: str, task: str, seconds: float, **scenario: Any
) -> list | str:
    """Run a task of `loader_probe` with a student's function.

    Returns
    -------
    list or str
        What each rank found, or a hint.
    """
    question = {"function": subject, "probe": "loader_probe", "workers": WORKERS, "task": task}
    answer = marking.session.ask("ranks", {**question, **scenario}, seconds=seconds)
    if isinstance(answer, dict) and answer.get("raised") == "RankTimeout":
        return f"{subject} does not come back on every rank"
    hint = trouble([answer], subject)
    if hint is not None:
        return hint
    found = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) != WORKERS:
        raise NoAnswerError("it gave nothing that can be compared")
    return found


def _pieces(answer: list, place: int) -> tuple[list[list[list[int]]], list[list[int]]]:
    """The pieces of each rank in one setting, and the batches of one worker alone."""
    try:
        ranks = [rank[place][0] for rank in answer]
        batches = answer[0][place][1]
        pieces = [piece for rank in [*ranks, batches] for piece in rank]
        if all(type(number) is int for piece in pieces for number in piece):
            return ranks, batches
    except (TypeError, IndexError, KeyError):
        pass
    raise NoAnswerError("it gave no lists of samples")


def _uncovered(ranks: Sequence[Sequence[Sequence[int]]], samples: int, batch: int) -> str | None:
    """Hint for pieces that do not cut the batches of an epoch; None if they do."""
    everyone = Counter(number for rank in ranks for piece in rank for number in piece)
    each = [Counter(number for piece in rank for number in piece) for rank in ranks]
    if all(len(mine) == samples for mine in each):
        return "every rank loads all samples: take only this rank's piece of each batch"
    if len({len(rank) for rank in ranks}) > 1:
        return (
            "the ranks have different numbers of steps: the one with more waits without end for "
            "the others in its next all-reduce"
        )
    if not set(everyone) <= set(range(samples)):
        return "samples have the numbers 0 to samples - 1"
    if everyone.total() < samples:
        return "samples are left out: the last, smaller batch and what does not divide count too"
    if len(everyone) < samples:
        return (
            "some samples come more than once and others never: does every rank cut the same order?"
        )
    if everyone.total() > samples:
        return "samples come twice in an epoch: cut into pieces of different size, don't fill up"
    for step, pieces in enumerate(zip(*ranks, strict=True)):
        sizes = [len(piece) for piece in pieces]
        if sum(sizes) != min(batch, samples - step * batch):
            return "batch is the number of samples that all ranks load together in one step"
        if max(sizes) - min(sizes) > 1:
            return (
                "the pieces of one step differ by more than one sample: the rank with the largest "
                "keeps the others waiting"
            )
    return None


def _misordered(asked: Sequence[tuple]) -> str | None:
    """Hint for batches in a wrong order; None if they are right."""
    for (samples, _, _), (_, batches) in zip(SETTINGS, asked, strict=True):
        if [number for batch in batches for number in batch] == list(range(samples)):
            return "the samples come in the order of their numbers: shuffle them"
    if asked[0][1] == asked[1][1]:
        return "every epoch has the same order: let the shuffle depend on seed and epoch, both"
    for ranks, batches in asked:
        for step, whole in enumerate(batches):
            together = sorted(number for rank in ranks for number in rank[step])
            if together != sorted(whole):
                return (
                    "three ranks together load other samples in a step than one worker would: "
                    "shuffle once, cut into batches, then cut each batch"
                )
    return None
