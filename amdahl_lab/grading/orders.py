"""What a teacher asks for when a class is to be marked, and what comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from amdahl_lab.grading.items import Item
from amdahl_lab.grading.plugin import secret_folders
from amdahl_lab.grading.tables import Result


@dataclass(frozen=True)
class Order:
    """What a teacher asks for.

    Parameters
    ----------
    course : Path
        Root of the course.
    submissions : Path
        Folder or zip. Nothing in it is changed.
    output : Path
        Folder for the gradebook, the marked notebooks, the feedback and the tables.
    assignment : str, optional
        As ``01_amdahls_law``; told from the notebooks if left out.
    without_sandbox : bool
        Run notebooks unprotected, at the grader's own risk.
    seed : int, optional
        Of the hidden inputs; drawn once and kept beside the gradebook if left out.
    jobs : int, optional
        Notebooks that are marked at the same time; what the computer can bear if left out.
    title : str, optional
        Name of the assignment in the learning-management system.
    """

    course: Path
    submissions: Path
    output: Path
    assignment: str | None = None
    without_sandbox: bool = False
    seed: int | None = None
    jobs: int | None = None
    title: str | None = None


@dataclass(frozen=True)
class ClassMarks:
    """What came of a class.

    Parameters
    ----------
    results : list of Result
        In the order of the students' names.
    items : list of Item
    files : list of Path
        The tables and pages, for the teacher to open.
    complete : bool
        False if it was interrupted.
    """

    results: list[Result]
    items: list[Item]
    files: list[Path]
    complete: bool


def chapter_named(given: str | None, chapters: Iterable[str]) -> str | None:
    """Name of the chapter that is meant by ``01_amdahls_law``, ``01`` or ``1``."""
    for name in chapters:
        if given is not None and given.lstrip("0") in (name.lstrip("0"), _number(name)):
            return name
    if given is None:
        return None
    raise ValueError(f"assignment must be one of {', '.join(sorted(chapters))}, got {given!r}")


def _number(name: str) -> str:
    return name.partition("_")[0].lstrip("0")


def secrets_of(order: Order) -> tuple[Path, ...]:
    """Folders that no notebook may see."""
    handed_in = order.submissions if order.submissions.is_dir() else order.submissions.parent
    own = secret_folders(order.output, order.course / "solutions" / "any")
    return tuple(folder.resolve() for folder in (*own, order.course, handed_in))
