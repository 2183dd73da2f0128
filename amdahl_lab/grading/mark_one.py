"""The task of a process that marks: one submission in, its record out."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from amdahl_lab.grading import finished
from amdahl_lab.grading.finished import Record
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.marking import NotebookMarker
from amdahl_lab.grading.notebooks import read_notebook
from amdahl_lab.grading.restore import ReleasedCell, restore
from amdahl_lab.grading.turns import Turns


@dataclass(frozen=True)
class Job:
    """One submission.

    Parameters
    ----------
    student : str
    notebook : Path
    folder : Path
        All files of the submission; the sandbox shows them to the notebook.
    key : str
        Of its record.
    """

    student: str
    notebook: Path
    folder: Path
    key: str


@dataclass(frozen=True)
class MarkOne:
    """Marks submissions of one assignment.

    Parameters
    ----------
    solution : Path
        Folder of the assignment's solution.
    released : tuple of ReleasedCell
        Its cells as they were released.
    package : Path
        The package for students.
    seed : int
    limits : Limits
    secret_folders : tuple of Path
    without_sandbox : bool
    turns : Turns
    """

    solution: Path
    released: tuple[ReleasedCell, ...]
    package: Path
    seed: int
    limits: Limits
    secret_folders: tuple[Path, ...]
    without_sandbox: bool
    turns: Turns

    def __call__(self, job: Job) -> Record:
        """Restore, run and mark."""
        begun = time.monotonic()
        notebook = read_notebook(job.notebook)
        restore(notebook, self.released)
        marker = NotebookMarker(
            load_assignment(self.solution, job.notebook.stem),
            self.package,
            self.seed,
            self.limits,
            self.secret_folders,
            self.without_sandbox,
            self.turns,
        )
        verdicts = marker.mark(notebook, job.folder).values()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Record.of(job.key, notebook, verdicts, time.monotonic() - begun, now)

    def key_of(self, notebook: Path, folder: Path, basis: str) -> str:
        """Key of the record that marking a notebook would give.

        Raises
        ------
        ValueError
            If it is no notebook.
        """
        book = read_notebook(notebook)
        restore(book, self.released)
        return finished.key_of(book, folder, basis)
