"""The course as nbgrader sees it: its configuration, its assignments, its gradebook."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from amdahl_lab.grading.notebooks import cell_ids

CONFIG = "nbgrader_config.py"
NOTEBOOK = "exercises"
GRADEBOOK = "gradebook.db"

_CONFIG_OF_MARKS = '''"""Lets nbgrader's own commands and its web grader work on these marks."""

c = get_config()
load_subconfig({config!r}, path={course!r})

c.CourseDirectory.source_directory = {solutions!r}
c.CourseDirectory.release_directory = "release"
c.GradeNotebook.solutions = {solutions!r}
c.GradeNotebook.without_sandbox = {without_sandbox!r}
'''


class NbgraderError(Exception):
    """A step of nbgrader went wrong; the message holds the end of its log."""


def configuration(folder: Path) -> Config:
    """Load nbgrader's configuration that lies in a folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not (folder / CONFIG).is_file():
        raise ValueError(f"course must hold {CONFIG}, got {folder}")
    return PyFileConfigLoader(CONFIG, path=str(folder)).load_config()


def interface(config: Config, root: Path) -> NbGraderAPI:
    """Nbgrader's commands as functions, for the course or the marks in a folder."""
    # nbgrader looks for alembic, installed beside it, on the path: there also without activation.
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", "")])
    config = Config(config)
    config.CourseDirectory.root = str(root)
    directory = CourseDirectory(config=config)
    return NbGraderAPI(coursedir=directory, config=config)


def succeed(command: Callable[..., dict[str, Any]], *arguments: str) -> None:
    """Call one of nbgrader's commands.

    Raises
    ------
    NbgraderError
        If it did not do what it should.
    """
    result = command(*arguments)
    if not result["success"]:
        log = (result.get("log", "") + result.get("error", "")).strip()
        raise NbgraderError("\n".join(log.splitlines()[-15:]))


def assignments(course: Path) -> list[str]:
    """Names of the assignments that have a solution, in order."""
    return sorted(path.parent.name for path in course.glob(f"solutions/*/{NOTEBOOK}.ipynb"))


def cells_of_chapters(course: Path) -> dict[str, frozenset[str]]:
    """For each assignment the ids of its cells."""
    paths = {
        name: course / "solutions" / name / f"{NOTEBOOK}.ipynb" for name in assignments(course)
    }
    return {name: cell_ids(nbformat.read(path, as_version=4)) for name, path in paths.items()}


def generate(course: Path, target: Path | None = None) -> list[Path]:
    """Make every exercise notebook from its solution. Doing it again changes nothing.

    Parameters
    ----------
    course : Path
        Root of the course.
    target : Path, optional
        Where to write instead of ``exercises/``.

    Returns
    -------
    list of Path
        The notebooks written.

    Raises
    ------
    NbgraderError
        If nbgrader refuses a solution.
    """
    config = configuration(course)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    if target is not None:
        config.CourseDirectory.release_directory = str(target)
    commands = interface(config, course)
    folder = target or course / "exercises"
    written = []
    for name in assignments(course):
        succeed(commands.generate_assignment, name)
        written.append(folder / name / f"{NOTEBOOK}.ipynb")
    return written


def open_marks(course: Path, output: Path, assignment: str, without_sandbox: bool) -> NbGraderAPI:
    """Make or open the folder of a class's marks, with its gradebook.

    Parameters
    ----------
    course, output : Path
        Root of the course, and the folder of the marks.
    assignment : str
        As ``01_amdahls_law``.
    without_sandbox : bool
        Whether nbgrader's own commands are to run notebooks unprotected.

    Returns
    -------
    NbGraderAPI
        nbgrader's commands on that folder.

    Raises
    ------
    NbgraderError
        If the cells of the assignment are no longer those that the gradebook knows.
    """
    output.mkdir(parents=True, exist_ok=True)
    text = _CONFIG_OF_MARKS.format(
        config=CONFIG,
        course=str(course.resolve()),
        solutions=str((course / "solutions").resolve()),
        without_sandbox=without_sandbox,
    )
    (output / CONFIG).write_text(text, encoding="utf-8")
    config = configuration(output)
    config.Autograde.pre_convert_hook = None  # the class's marking has checked it, once
    commands = interface(config, output.resolve())
    succeed(commands.generate_assignment, assignment)
    return commands


@dataclass(frozen=True)
class BookedMark:
    """What the gradebook says of one submission.

    Parameters
    ----------
    score : float
        With what a person has changed, and less the penalty for being late.
    state : str
        All scores and comments as text: changes when a person changes one.
    """

    score: float
    state: str


def booked_mark(output: Path, assignment: str, student: str) -> BookedMark | None:
    """What the gradebook of a folder of marks says of a student; None if it knows nothing."""
    with Gradebook(f"sqlite:///{(output / GRADEBOOK).resolve()}") as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return None
        penalty = submission.late_submission_penalty or 0.0
        state = [
            [grade.name, grade.auto_score, grade.manual_score, grade.extra_credit]
            for notebook in submission.notebooks
            for grade in notebook.grades
        ]
        state += [
            [comment.name, comment.auto_comment, comment.manual_comment]
            for notebook in submission.notebooks
            for comment in notebook.comments
        ]
        text = repr([penalty, *sorted(map(repr, state))])
        return BookedMark(max(0.0, submission.score - penalty), text)


def gradebook_scores(output: Path, assignment: str) -> dict[str, float]:
    """Score of each student as nbgrader's gradebook has it."""
    with Gradebook(f"sqlite:///{(output / GRADEBOOK).resolve()}") as gradebook:
        submissions = gradebook.assignment_submissions(assignment)
        return {submission.student.id: submission.score for submission in submissions}
