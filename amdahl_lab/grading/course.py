"""The commands of the course, on top of nbgrader's: make the exercises, mark a folder."""

import csv
import json
import os
import re
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, PyFileConfigLoader

from amdahl_lab.grading import sandbox
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.items import Item
from amdahl_lab.grading.marking import MARKS

CONFIG = "nbgrader_config.py"
NOTEBOOK = "exercises"


class NbgraderError(Exception):
    """A step of nbgrader went wrong; the message holds the end of its log."""


def configuration(course: Path) -> Config:
    """Load nbgrader's configuration of the course that lies in a folder.

    Raises
    ------
    ValueError
        If there is no configuration in the folder.
    """
    if not (course / CONFIG).is_file():
        raise ValueError(f"course must hold {CONFIG}, got {course}")
    return PyFileConfigLoader(CONFIG, path=str(course)).load_config()


def _interface(config: Config, root: Path) -> NbGraderAPI:
    # nbgrader looks for alembic, installed beside it, on the path: there also without activation.
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", "")])
    config = Config(config)
    config.CourseDirectory.root = str(root)
    directory = CourseDirectory(config=config)
    return NbGraderAPI(coursedir=directory, config=config)


def _done(result: dict) -> None:
    if not result["success"]:
        log = (result.get("log", "") + result.get("error", "")).strip()
        raise NbgraderError("\n".join(log.splitlines()[-15:]))


def assignments(course: Path) -> list[str]:
    """Names of the assignments that have a solution, in order."""
    return sorted(path.parent.name for path in course.glob(f"solutions/*/{NOTEBOOK}.ipynb"))


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
    interface = _interface(config, course)
    folder = target or course / "exercises"
    written = []
    for name in assignments(course):
        _done(interface.generate_assignment(name))
        written.append(folder / name / f"{NOTEBOOK}.ipynb")
    return written


@dataclass(frozen=True)
class Result:
    """Marks of one submission.

    Parameters
    ----------
    student : str
    points : dict of str to float
        By item; empty if the notebook could not be marked.
    problem : str
        Why it could not be marked.
    """

    student: str
    points: dict[str, float]
    problem: str = ""

    @property
    def total(self) -> float:
        """Sum of the points."""
        return sum(self.points.values())


def grade(
    course: Path,
    submissions: Path,
    output: Path,
    assignment: str,
    *,
    without_sandbox: bool = False,
    report: Callable[[str], None] = print,
) -> list[Result]:
    """Mark a folder of notebooks.

    Parameters
    ----------
    course : Path
        Root of the course.
    submissions : Path
        Folder with a notebook for each student, ``name.ipynb``, or a folder for each student with
        one notebook in it. Nothing in it is changed.
    output : Path
        New folder for nbgrader's gradebook, the marked notebooks, the feedback and ``marks.csv``.
    assignment : str
        Name of the assignment, as ``01_amdahls_law``.
    without_sandbox : bool
        Run notebooks unprotected, at the grader's own risk.
    report : callable
        Told one line at a time what goes on.

    Returns
    -------
    list of Result
        In the order of the students' names.

    Raises
    ------
    ValueError
        If a folder is not what it must be.
    SandboxMissing
        If bubblewrap does not work here and the risk was not accepted.
    """
    if not without_sandbox:
        sandbox.check_bubblewrap()
    if assignment not in assignments(course):
        raise ValueError(f"assignment must be one of {assignments(course)}, got {assignment!r}")
    found = collect(submissions)
    if not found:
        raise ValueError(f"submissions must hold notebooks, got {submissions}")
    output.mkdir(parents=True, exist_ok=True)
    config = configuration(course)
    solutions = (course / "solutions").resolve()
    config.CourseDirectory.source_directory = str(solutions)
    config.CourseDirectory.release_directory = "release"
    config.GradeNotebook.solutions = str(solutions)
    config.GradeNotebook.without_sandbox = without_sandbox
    config.Autograde.pre_convert_hook = None  # checked above, once
    interface = _interface(config, output.resolve())
    _done(interface.generate_assignment(assignment))
    items = load_assignment(solutions / assignment, NOTEBOOK).items()
    results = []
    for number, (student, notebook) in enumerate(sorted(found.items()), start=1):
        result = _grade_one(interface, output, assignment, student, notebook, items)
        results.append(result)
        state = result.problem or f"{result.total:g} points"
        report(f"{number} of {len(found)}  {student}: {state}")
    write_csv(output / "marks.csv", results, items)
    return results


def _grade_one(
    interface: NbGraderAPI,
    output: Path,
    assignment: str,
    student: str,
    notebook: Path,
    items: Iterable[Item],
) -> Result:
    target = output / "submitted" / student / assignment / f"{NOTEBOOK}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(notebook, target)
    try:
        with warnings.catch_warnings():
            # nbgrader's gradebook makes SQLAlchemy warn at every new submission.
            warnings.simplefilter("ignore", SAWarning)
            _done(interface.autograde(assignment, student))
            _done(interface.generate_feedback(assignment, student))
    except NbgraderError as failed:
        reason = str(failed).splitlines()[-1] if str(failed) else "unknown"
        return Result(student, {}, f"not marked ({reason})")
    marked = output / "autograded" / student / assignment / f"{NOTEBOOK}.ipynb"
    points = read_marks(marked)
    return Result(student, {item.id: points.get(item.id, 0.0) for item in items})


def collect(submissions: Path) -> dict[str, Path]:
    """Notebook of each student in a folder, by a name that is safe for a folder.

    Parameters
    ----------
    submissions : Path
        A folder of notebooks, or of folders with one notebook each.

    Returns
    -------
    dict of str to Path
        Two students of one name get a number.

    Raises
    ------
    ValueError
        If there is no such folder.
    """
    if not submissions.is_dir():
        raise ValueError(f"submissions must be a folder, got {submissions}")
    found: dict[str, Path] = {}
    for path in sorted(submissions.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            notebooks = sorted(
                p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts
            )
        else:
            notebooks = [path] if path.suffix == ".ipynb" else []
        if notebooks and not notebooks[0].is_symlink():
            name = _folder_name(path.stem if path.is_file() else path.name)
            unique, number = name, 1
            while unique in found:
                number += 1
                unique = f"{name}-{number}"
            found[unique] = notebooks[0]
    return found


def _folder_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "student"


def read_marks(notebook: Path) -> dict[str, float]:
    """Points by item from a marked notebook, as the grader wrote them."""
    marks: dict[str, float] = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            entries = output.get("data", {}).get(MARKS, {})
            entries = json.loads(entries) if isinstance(entries, str) else entries
            marks |= {name: float(entry["points"]) for name, entry in entries.items()}
    return marks


def gradebook_scores(output: Path, assignment: str) -> dict[str, float]:
    """Score of each student as nbgrader's gradebook has it."""
    with Gradebook(f"sqlite:///{(output / 'gradebook.db').resolve()}") as gradebook:
        submissions = gradebook.assignment_submissions(assignment)
        return {submission.student.id: submission.score for submission in submissions}


def write_csv(path: Path, results: Iterable[Result], items: Iterable[Item]) -> None:
    """Write one line for each student: total, then each item, then why there is no mark."""
    items = list(items)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "total", *(item.id for item in items), "remark"])
        for result in results:
            points = [f"{result.points.get(item.id, 0.0):g}" for item in items]
            writer.writerow([result.student, f"{result.total:g}", *points, result.problem])


def table(results: Iterable[Result], items: Iterable[Item]) -> str:
    """Marks as a table of text: students down, items across by number, their titles below."""
    results, items = list(results), list(items)
    width = max([len("student"), *(len(result.student) for result in results)])
    heads = [str(number) for number in range(1, len(items) + 1)]
    lines = [f"{'student':{width}}  total  " + " ".join(f"{head:>3}" for head in heads)]
    for result in results:
        points = " ".join(f"{result.points.get(item.id, 0.0):>3g}" for item in items)
        lines.append(f"{result.student:{width}}  {result.total:>5g}  {points}  {result.problem}")
    lines += [
        f"{head:>3}  {item.points:g}  {item.title}" for head, item in zip(heads, items, strict=True)
    ]
    return "\n".join(line.rstrip() for line in lines)
