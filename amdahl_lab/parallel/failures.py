"""What can go wrong in a parallel run, told so that the reader can mend it."""

from collections.abc import Mapping
from typing import Any


class RankError(RuntimeError):
    """A rank raised, or ended before it returned.

    Attributes
    ----------
    rank : int or None
        The rank that failed first.
    report : str
        Its own traceback, or empty where the process ended without a word.
    """

    def __init__(self, message: str, *, rank: int | None = None, report: str = "") -> None:
        super().__init__(message)
        self.rank = rank
        self.report = report


class RankTimeout(RankError, TimeoutError):  # noqa: N818 - the name that TimeoutError has
    """The ranks did not all return in time.

    Attributes
    ----------
    positions : dict of int to str
        For each rank where it stood when the time was up.
    """

    def __init__(self, message: str, *, positions: Mapping[int, str] | None = None) -> None:
        super().__init__(message)
        self.positions = dict(positions or {})


def raised(rank: int, workers: int, told: Mapping[str, Any]) -> RankError:
    """Return the error for a rank that raised, from its own summary and report."""
    return RankError(
        f"rank {rank} of {workers} raised {told['summary']}\n\nIn rank {rank}: {told['report']}",
        rank=rank,
        report=told["report"],
    )
