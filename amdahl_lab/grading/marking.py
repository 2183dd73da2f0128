"""Marks one notebook: runs its cells in the sandbox, asks the hidden checks, writes the points."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

from amdahl_lab.grading.items import Assignment, Check, Marking, Verdict, nothing
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.session import CellRun, KernelLostError, KernelSession, NoAnswerError
from amdahl_lab.grading.turns import Turns

MARKS = "application/vnd.amdahl-lab.marks+json"


class NotStartedError(Exception):
    """No kernel came up, so nothing is known about the notebook; the message says why."""


@dataclass
class NotebookMarker:
    """Runs and marks notebooks of one assignment.

    Parameters
    ----------
    assignment : Assignment
        Its hidden checks.
    package : Path
        The package for students, made by `student_package.prepare`.
    seed : int
        The teacher's seed: the same seed gives the same hidden inputs.
    limits : Limits
        What one notebook may use.
    secret_folders : sequence of Path
        Folders that no notebook may see.
    without_sandbox : bool
        Run unprotected, at the grader's own risk.
    turns : Turns, optional
        Where other notebooks are marked at the same time: a cell that takes times runs alone.
    """

    assignment: Assignment
    package: Path
    seed: int
    limits: Limits = field(default_factory=Limits)
    secret_folders: Sequence[Path] = ()
    without_sandbox: bool = False
    turns: Turns | None = None

    def mark(self, notebook: NotebookNode, submission: Path) -> dict[str, Verdict]:
        """Run a notebook, mark it, and replace its outputs.

        Parameters
        ----------
        notebook : NotebookNode
            Changed in place: outputs, and the points in the outputs of its check cells.
        submission : Path
            Folder with the files that were submitted.

        Returns
        -------
        dict of str to Verdict
            For each item, its points and hint.

        Raises
        ------
        NotStartedError
            If no kernel came up before the first cell: that is no fault of the notebook's.
        """
        return _Run(self, notebook, submission).mark()


class _Run:
    """One notebook on its way through the sandbox."""

    def __init__(self, marker: NotebookMarker, notebook: NotebookNode, submission: Path) -> None:
        self.marker, self.submission = marker, submission
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.session: KernelSession | None = None
        self.starts = 0
        self.deadly: set[int] = set()  # cells that ended their kernel
        self.deadly_subjects: set[str] = set()
        self.why_lost = ""
        self.runs: dict[str, CellRun] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.text = "\0".join(cell.source for cell in self.cells)
        self.room = marker.limits.kept_bytes
        self.deadline = time.monotonic() + marker.limits.notebook_seconds

    def mark(self) -> dict[str, Verdict]:
        try:
            for place, cell in enumerate(self.cells):
                self._run_cell(place, cell)
                name = grade_id(cell)
                if name in self.marker.assignment.checks:
                    verdicts = [
                        verdict
                        for check in self.marker.assignment.checks[name]
                        for verdict in self._ask(check, place)
                    ]
                    self.verdicts |= {verdict.item.id: verdict for verdict in verdicts}
                    write_points(cell, verdicts)
        finally:
            self._close()
        return self.verdicts

    @contextmanager
    def _turn(self, alone: bool = False) -> Iterator[None]:
        """Wait for a turn; waiting takes nothing off the notebook's time."""
        if self.marker.turns is None:
            yield
            return
        begun = time.monotonic()
        with self.marker.turns.alone() if alone else self.marker.turns.together():
            self.deadline += time.monotonic() - begun
            yield

    def _close(self) -> None:
        if self.session is not None:
            self.session.__exit__()
            self.session = None

    def _left(self) -> float:
        return self.deadline - time.monotonic()

    def _run_cell(self, place: int, cell: NotebookNode) -> None:
        cell.execution_count = None
        if not self._ready(place):
            cell.outputs = [_note(f"This cell did not run: {self.why_lost}.")]
            return
        try:
            with self._turn(alone=grade_id(cell) in self.marker.assignment.measuring_cells):
                seconds = min(self.marker.limits.cell_seconds, self._left())
                run = self.session.run(cell.source, seconds)
            cell.outputs = self._kept(run)
            self.runs[grade_id(cell)] = run
        except KernelLostError as lost:
            self._lose(place, lost)
            cell.outputs = [_note(f"This cell was stopped: {lost}.")]

    def _kept(self, run: CellRun) -> list[NotebookNode]:
        self.room -= run.kept_bytes
        return list(run.outputs) if self.room >= 0 else [_note("This output was not kept.")]

    def _lose(self, place: int, lost: KernelLostError) -> None:
        self._close()
        self.deadly.add(place)
        self.why_lost = str(lost)

    def _ready(self, place: int) -> bool:
        """Make sure that there is a kernel in which the cells before `place` have run."""
        while self.session is None:
            if self.starts >= self.marker.limits.starts:
                self.why_lost = self.why_lost or "the kernel could not be started"
                return False
            if self._left() <= 0:
                break
            with self._turn():
                self._start(place)
            if self.session is None and not self.runs and not self.deadly:
                self._give_up_unless_tries_are_left()
        if self._left() <= 0:
            self.why_lost = (
                f"the notebook took longer than {self.marker.limits.notebook_seconds:.0f} s"
            )
            return False
        return True

    def _give_up_unless_tries_are_left(self) -> None:
        if self.starts >= self.marker.limits.starts:
            raise NotStartedError(self.why_lost)

    def _start(self, place: int) -> None:
        self.starts += 1
        marker = self.marker
        session = KernelSession(
            marker.package,
            self.submission,
            marker.limits,
            secret_folders=marker.secret_folders,
            without_sandbox=marker.without_sandbox,
        )
        try:
            self.session = session.__enter__()
        except KernelLostError as lost:
            self.why_lost = str(lost)
            return
        for earlier in range(place):
            if earlier in self.deadly:
                continue
            try:
                seconds = min(marker.limits.cell_seconds, max(self._left(), 0.0))
                self.session.run(self.cells[earlier].source, seconds)
            except KernelLostError as lost:
                self._lose(earlier, lost)
                return

    def _ask(self, check: Check, place: int) -> list[Verdict]:
        if check.subject in self.deadly_subjects:
            return nothing(check.items, f"{check.subject} did not come back when it was called")
        if not self._ready(place + 1):
            return nothing(check.items, self.why_lost)
        try:
            with self._turn():
                return check.mark(Marking(self.session, self.marker.seed, self.runs, self.text))
        except NoAnswerError as problem:
            self.deadly_subjects.add(check.subject)
            return nothing(check.items, f"{check.subject} was asked, and {problem}")
        except KernelLostError as lost:
            self.deadly_subjects.add(check.subject)
            self._close()
            self.why_lost = str(lost)
            return nothing(check.items, f"{check.subject} was asked, and {lost}")


def grade_id(cell: NotebookNode) -> str:
    """The nbgrader id of a cell, or an empty text."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _note(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text + "\n")


def write_points(cell: NotebookNode, verdicts: Iterable[Verdict]) -> None:
    """Put points into the outputs of a check cell, the way nbgrader reads them.

    What the student's process showed stays as plain text. The last output is the number that
    nbgrader takes for the points; no output of the student can be one.
    """
    verdicts = list(verdicts)
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    outputs = [_note(text.rstrip("\n"))] if text else []
    lines = [line_of(verdict) for verdict in verdicts]
    data = {
        "text/plain": "\n".join(["Points:", *lines]),
        MARKS: {v.item.id: {"points": v.points, "hint": v.hint} for v in verdicts},
    }
    outputs.append(new_output("display_data", data=data))
    total = sum(verdict.points for verdict in verdicts)
    outputs.append(
        new_output("execute_result", data={"text/plain": f"{total:g}"}, execution_count=None)
    )
    cell.outputs = outputs


def line_of(verdict: Verdict) -> str:
    """One line of the mark sheet."""
    line = f"{verdict.points:g} of {verdict.item.points:g}  {verdict.item.title}"
    return f"{line}: {verdict.hint}" if verdict.hint else line
