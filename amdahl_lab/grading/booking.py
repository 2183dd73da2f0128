"""Brings marks into nbgrader's gradebook and onto the feedback pages, and reads them there."""

import contextlib
import signal
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import SAWarning

from amdahl_lab.grading import course, finished
from amdahl_lab.grading.course import NOTEBOOK
from amdahl_lab.grading.export_names import feedback_name
from amdahl_lab.grading.finished import Record
from amdahl_lab.grading.plugin import released_cells
from amdahl_lab.grading.restore import ReleasedCell
from amdahl_lab.grading.tables import Result
from amdahl_lab.grading.turns import Turns


@dataclass(frozen=True)
class Book:
    """The gradebook, the records and the feedback pages of one class.

    Parameters
    ----------
    commands : NbGraderAPI
        nbgrader's commands on the folder of the marks.
    output : Path
        That folder.
    assignment : str
        As ``01_amdahls_law``.
    turns : Turns
        Booking takes a processor for two seconds, so it keeps its turn.
    """

    commands: NbGraderAPI
    output: Path
    assignment: str
    turns: Turns

    def released(self) -> tuple[ReleasedCell, ...]:
        """Cells of the assignment as they were released."""
        with Gradebook(f"sqlite:///{self.output / course.GRADEBOOK}") as gradebook:
            return tuple(released_cells(gradebook, self.assignment, NOTEBOOK))

    def record(self, student: str) -> Record | None:
        """What is kept of a student's marks."""
        return finished.load(finished.path_of(self.output, self.assignment, student))

    def keep(self, student: str, record: Record) -> None:
        """Keep the marks of a student."""
        finished.save(finished.path_of(self.output, self.assignment, student), record)

    def page(self, student: str) -> Path:
        """Feedback page of a student."""
        return self.output / "feedback" / student / self.assignment / f"{NOTEBOOK}.html"

    def book(self, student: str) -> None:
        """Bring a record into the gradebook and onto the page, unless both have it already.

        What a person changed in the gradebook stays, and makes a new page.

        Raises
        ------
        NbgraderError
            If a step of nbgrader goes wrong.
        """
        record, names = self.record(student), (self.assignment, student)
        if record is None:
            return
        booked = course.booked_mark(self.output, *names)
        if booked and booked.state == record.booked and self.page(student).is_file():
            return
        with self.turns.together(), _uninterrupted(), warnings.catch_warnings():
            # nbgrader's gradebook makes SQLAlchemy warn at every new submission.
            warnings.simplefilter("ignore", SAWarning)
            if not record.booked or booked is None:
                course.succeed(self.commands.autograde, *names)
            course.succeed(self.commands.generate_feedback, *names)
            state = course.booked_mark(self.output, *names).state
            self.keep(student, replace(record, booked=state))

    def total(self, student: str) -> float:
        """Score of a student in the gradebook, with what a person changed."""
        return course.booked_mark(self.output, self.assignment, student).score

    def zip_pages(self, results: Iterable[Result]) -> Path:
        """Put the feedback pages into one zip, under the names that the export had."""
        path = self.output / "feedback.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in results:
                page = self.page(one.student)
                if one.total is not None and page.is_file():
                    name = feedback_name(one.export_path, one.sender.system)
                    archive.write(page, name or f"{one.student}.html")
        return path


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off until a step of nbgrader is done, which takes two or three seconds.

    nbgrader swallows an interrupt and leaves half of what it did.
    """
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
