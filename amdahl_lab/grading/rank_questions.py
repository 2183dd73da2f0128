"""Asks the probe for a run on ranks, and the system for what moved between them meanwhile."""

from dataclasses import dataclass
from typing import Any

from amdahl_lab.grading.items import Marking, trouble
from amdahl_lab.grading.session import NoAnswerError


@dataclass(frozen=True)
class RankAnswer:
    """What came of a run on ranks.

    Parameters
    ----------
    hint : str or None
        Why nothing came of it.
    ranks : list
        What each rank gave, in plain data.
    moved : tuple of int, or None
        Bytes and packets on the sandbox's loopback; None where there is no sandbox to count in.
    """

    hint: str | None
    ranks: list
    moved: tuple[int, int] | None


def ask_ranks(
    marking: Marking, subject: str, workers: int, question: dict[str, Any], seconds: float
) -> RankAnswer:
    """Run a function of the notebook on ranks.

    Parameters
    ----------
    marking : Marking
        What a check works with.
    subject : str
        Name of the function.
    workers : int
        Number of ranks that must answer.
    question : dict
        What the probe is asked, as plain data, beside the name of the function.
    seconds : float
        Wall time that it gets.

    Raises
    ------
    NoAnswerError
        If what came back is no answer of so many ranks.
    """
    watch = marking.session.watch
    before = watch.loopback()
    question = {"function": subject, **question}
    answer = marking.session.ask("ranks", question, seconds=seconds)
    after, moved = watch.loopback(), None
    if before is not None and after is not None and not marking.session.without_sandbox:
        moved = (after[0] - before[0], after[1] - before[1])
    if isinstance(answer, dict) and answer.get("raised") == "RankTimeout":
        hint = (
            "the ranks wait for each other without end: does every rank call the same "
            "collectives in the same order?"
        )
        return RankAnswer(hint, [], moved)
    hint = trouble([answer], subject)
    if hint is not None:
        return RankAnswer(hint, [], moved)
    ranks = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(ranks, list) or len(ranks) != workers:
        raise NoAnswerError("it gave no parameters")
    return RankAnswer(None, ranks, moved)
