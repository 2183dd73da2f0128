"""The grader's side of `rank_scenes`: plays one, checks the form of what comes back.

What the ranks say they sent is held against what the system counted on the sandbox's loopback.
"""

from dataclasses import dataclass
from typing import Any

from amdahl_lab.grading.items import Marking, trouble
from amdahl_lab.grading.session import NoAnswerError

# Headers and acknowledgements, as a share and for the start of the ranks.
EXTRA_SHARE, EXTRA_BYTES = 0.06, 12_000


@dataclass(frozen=True)
class Call:
    """One call of a rank: a message with its receiver, or a collective."""

    kind: str
    bytes: int
    peer: int

    @property
    def is_send(self) -> bool:
        """Whether it is a message from rank to rank."""
        return self.kind == "send"


@dataclass(frozen=True)
class Played:
    """What came of a scene.

    Parameters
    ----------
    hint : str or None
        Why nothing came of it.
    ranks : list
        What each rank gave.
    moved : tuple of int, or None
        Bytes and packets on the loopback, counted by the system; None without a sandbox.
    """

    hint: str | None
    ranks: list
    moved: tuple[int, int] | None

    def less_than(self, least_bytes: float, least_packets: float = 0) -> bool:
        """Whether the system saw clearly fewer bytes than that, or fewer packets."""
        if self.moved is None:
            return False
        moved, packets = self.moved
        return moved < 0.97 * least_bytes or packets < least_packets

    def more_than(self, most_bytes: float, most_packets: float) -> bool:
        """Whether the system saw clearly more bytes than that, or more packets."""
        if self.moved is None:
            return False
        moved, packets = self.moved
        return moved > (1 + EXTRA_SHARE) * most_bytes + EXTRA_BYTES or packets > most_packets


@dataclass(frozen=True)
class Scene:
    """One scene with functions of the notebook.

    Parameters
    ----------
    name : str
        Of the scene in `rank_scenes`.
    functions : tuple of str
        The student's functions that it takes.
    waiting : str
        Hint for ranks that wait for each other without end.
    """

    name: str
    functions: tuple[str, ...]
    waiting: str

    def play(self, marking: Marking, workers: int, seconds: float, **scenario: Any) -> Played:
        """Play it on so many ranks, which may take so many seconds once they have joined.

        Raises
        ------
        NoAnswerError
            If what came back has not the form of an answer.
        """
        question = {"functions": list(self.functions), "name": self.name, "workers": workers}
        watch = marking.session.watch
        before = watch.loopback()
        answer = marking.session.ask("scene", question | {"seconds": seconds} | scenario)
        after, moved = watch.loopback(), None
        if before is not None and after is not None and not marking.session.without_sandbox:
            moved = (after[0] - before[0], after[1] - before[1])
        if isinstance(answer, dict) and answer.get("raised") == "RankTimeout":
            return Played(self.waiting, [], moved)
        missing = answer.get("missing") if isinstance(answer, dict) else None
        subject = missing if missing in self.functions else self.functions[-1]
        hint = trouble([answer], subject)
        if hint is not None:
            return Played(hint, [], moved)
        ranks = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(ranks, list) or len(ranks) != workers:
            raise NoAnswerError("it gave no answer")
        return Played(None, ranks, moved)


def parts_of(value: Any, count: int) -> list:
    """`value` if it is a list of so many parts.

    Raises
    ------
    NoAnswerError
        If not.
    """
    if not isinstance(value, list) or len(value) != count:
        raise NoAnswerError("it gave no answer")
    return value


def calls_of(value: Any) -> list[Call]:
    """Calls from their plain form.

    Raises
    ------
    NoAnswerError
        If it has another form.
    """
    if not isinstance(value, list):
        raise NoAnswerError("it gave no answer")
    calls = [Call(*parts_of(one, 3)) for one in value]
    if not all(
        isinstance(call.kind, str) and isinstance(call.bytes, int) and isinstance(call.peer, int)
        for call in calls
    ):
        raise NoAnswerError("it gave no answer")
    return calls
