"""Marks a class: finds what each student handed in, marks what is new, writes the tables."""

import contextlib
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat

from amdahl_lab import machine
from amdahl_lab.grading import course, finished, sandbox, student_package, summary, tables, workers
from amdahl_lab.grading.booking import Book
from amdahl_lab.grading.collecting import Submission, collect
from amdahl_lab.grading.course import NOTEBOOK, NbgraderError
from amdahl_lab.grading.finished import Record
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.items import Item
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.mark_one import Job, MarkOne
from amdahl_lab.grading.notebooks import most_common_chapter
from amdahl_lab.grading.orders import ClassMarks, Order, chapter_named, secrets_of
from amdahl_lab.grading.plugin import SEED_FILE, seed_of
from amdahl_lab.grading.tables import Result
from amdahl_lab.grading.turns import Turns

_NOT_YET = "not marked yet"
# A notebook has its own limit; this one is for a process that does not keep it.
_PATIENCE = 4


def grade(order: Order, report: Callable[[str], None] = print) -> ClassMarks:
    """Mark a class. What is marked already and has not changed is not marked again.

    Parameters
    ----------
    order : Order
        What to mark, and where to.
    report : callable
        Told one line at a time what goes on.

    Returns
    -------
    ClassMarks

    Raises
    ------
    ValueError
        If a folder is not what it must be, the chapter can't be told, or the solution itself
        does not get all points on this computer.
    NbgraderError
        If nbgrader can't make the gradebook.
    SandboxMissing
        If bubblewrap does not work here and the risk was not accepted.
    """
    if not order.without_sandbox:
        sandbox.check_bubblewrap()
    if order.output.resolve().is_relative_to(order.submissions.resolve()):
        raise ValueError(f"output must lie outside of the submissions, got {order.output}")
    chapters = course.cells_of_chapters(order.course)
    named = chapter_named(order.assignment, chapters)
    with tempfile.TemporaryDirectory(prefix="lab-class-") as scratch:
        handed_in = collect(order.submissions, Path(scratch), chapters)
        assignment = named or most_common_chapter(
            one.chapter for submission in handed_in for one in submission.candidates
        )
        if assignment is None:
            raise ValueError(
                "assignment must be named, because the notebooks do not tell it: one of "
                f"{', '.join(sorted(chapters))}"
            )
        return _Class(order, assignment, handed_in, Path(scratch), report).mark()


class _Class:
    """One class on its way to its marks."""

    def __init__(
        self,
        order: Order,
        assignment: str,
        handed_in: list[Submission],
        scratch: Path,
        report: Callable[[str], None],
    ) -> None:
        self.order, self.assignment, self.handed_in = order, assignment, handed_in
        self.output, self.report = order.output.resolve(), report
        solution = order.course.resolve() / "solutions" / assignment
        self.solution = solution / f"{NOTEBOOK}.ipynb"
        checks = load_assignment(solution, NOTEBOOK)
        self.items = checks.items()
        commands = course.open_marks(order.course, self.output, assignment, order.without_sandbox)
        turns = Turns(scratch)
        self.book = Book(commands, self.output, assignment, turns)
        if order.seed is not None:
            (self.output / SEED_FILE).write_text(f"{order.seed}\n")
        self.task = MarkOne(
            solution,
            self.book.released(),
            student_package.prepare(scratch / "package", checks.put_away),
            seed_of(self.output),
            Limits(),
            secrets_of(order),
            order.without_sandbox,
            turns,
        )
        self.basis = finished.basis(
            solution, self.task.seed, self.task.limits, order.without_sandbox
        )
        self.jobs: dict[str, Job] = {}
        self.remarks: dict[str, str] = {}

    def mark(self) -> ClassMarks:
        for submission in self.handed_in:
            self._prepare(submission)
        pending = [job for job in self.jobs.values() if not self._is_marked(job)]
        self._announce(len(pending))
        complete = True
        try:
            if pending:
                self._mark_all(pending)
            for job in list(self.jobs.values()):
                self._book(job.student)  # what a person changed there since is on the page then
        except KeyboardInterrupt:
            complete = False
        results = [self._result(submission) for submission in self.handed_in]
        return ClassMarks(results, self.items, self._write(results), complete)

    def _is_marked(self, job: Job) -> bool:
        record = self.book.record(job.student)
        return record is not None and record.key == job.key

    def _prepare(self, submission: Submission) -> None:
        """Copy a submission to where nbgrader looks for it, and name what is wrong with it."""
        chosen, remark = submission.choose(self.assignment)
        if remark:
            self.remarks[submission.student] = remark
        if chosen is None:
            return
        folder = self.output / "submitted" / submission.student / self.assignment
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{NOTEBOOK}.ipynb"
        try:
            target.write_bytes(chosen.read_bytes())
            key = self.task.key_of(target, folder, self.basis)
        except (ValueError, OSError) as problem:
            self.remarks[submission.student] = str(problem)
            return
        self.jobs[submission.student] = Job(submission.student, target, folder, key)

    def _announce(self, pending: int) -> None:
        count, usable = len(self.handed_in), len(self.jobs)
        line = f"{self.assignment}: {count} handed in"
        if count - usable:
            line += f", {count - usable} of them cannot be marked (see the table)"
        if usable - pending:
            line += f", {usable - pending} marked before and unchanged"
        self.report(f"{line}, {pending} to mark.")

    def _mark_all(self, pending: list[Job]) -> None:
        alone = self._seconds_of_the_solution()
        processes = min(self.order.jobs or bearable_jobs(self.task.limits), len(pending))
        left = math.ceil(len(pending) / processes) * alone
        self.report(
            f"Marking {len(pending)}, {processes} at a time: {_in_words(left)}. Ctrl-C stops; "
            "what is marked stays marked, and the same command goes on."
        )
        begun, done = time.monotonic(), 0
        seconds = _PATIENCE * self.task.limits.notebook_seconds
        with contextlib.closing(workers.each(self.task, pending, processes, seconds)) as marked:
            for job, outcome in marked:
                done += 1
                told = self._take(job, outcome)
                if done >= processes:
                    left = (time.monotonic() - begun) / done * (len(pending) - done)
                rest = f"  ({_in_words(left)} left)" if done < len(pending) else ""
                self.report(f"[{done:>3} of {len(pending)}] {job.student}: {told}{rest}")

    def _seconds_of_the_solution(self) -> float:
        """Mark the solution first: what it does not get here, no student could get."""
        folder = self.task.package.with_name("no files")
        folder.mkdir()
        key = self.task.key_of(self.solution, folder, self.basis)
        record = self.book.record(".solution")
        if record is None or record.key != key:
            self.report("First the solution itself, to try this computer and its speed.")
            job = Job(".solution", self.solution, folder, key)
            seconds = _PATIENCE * self.task.limits.notebook_seconds
            with contextlib.closing(workers.each(self.task, [job], 1, seconds)) as marked:
                record = next(marked)[1]
            if isinstance(record, workers.Failure):
                raise ValueError(f"the solution must be marked first, and {record.reason}")
            lost = [i for i in self.items if record.points.get(i.id, 0.0) < i.points]
            if lost:
                what = "; ".join(f"{i.title}: {record.hints.get(i.id, '')}" for i in lost)
                raise ValueError(
                    "the solution itself must get all points before a class is marked, and here "
                    f"it lost {what}. Is the computer out of memory, or were the solution or "
                    "its hidden checks changed?"
                )
            self.book.keep(".solution", record)
        return record.seconds

    def _take(self, job: Job, outcome: Record | workers.Failure) -> str:
        """Keep what came of one submission; return it in a few words."""
        if isinstance(outcome, workers.Failure):
            self.remarks[job.student] = f"not marked: {outcome.reason}"
            return self.remarks[job.student]
        before = self.book.record(job.student)
        self.book.keep(job.student, outcome)
        self._book(job.student)
        if job.student not in self.jobs:
            return self.remarks[job.student]
        total, most = sum(outcome.points.values()), sum(item.points for item in self.items)
        told = f"{total:g} of {most:g}"
        if before is not None and before.points != outcome.points:
            told += f", before {sum(before.points.values()):g}"
            changed = _changes(before, outcome, self.items)
            self.remarks[job.student] = f"changed since last time: {changed}"
        return told

    def _book(self, student: str) -> None:
        try:
            self.book.book(student)
        except NbgraderError as failed:
            reason = str(failed).splitlines()[-1] if str(failed) else "unknown"
            self.remarks[student] = f"not marked: nbgrader stopped ({reason})"
            del self.jobs[student]

    def _result(self, submission: Submission) -> Result:
        student = submission.student
        empty = Result(student, submission.sender, submission.export_path)
        remark = self.remarks.get(student, "")
        job = self.jobs.get(student)
        record = self.book.record(student)
        if job is None or record is None or record.key != job.key or not record.booked:
            return replace(empty, remark=remark or _NOT_YET)
        return replace(
            empty,
            total=self.book.total(student),
            points=record.points,
            hints=record.hints,
            remark=remark,
            marked=record.marked,
        )

    def _write(self, results: list[Result]) -> list[Path]:
        title = self.order.title or _heading(self.solution) or self.assignment
        page, marks = self.output / "summary.html", self.output / "marks.csv"
        page.write_text(summary.class_page(results, self.items, title), encoding="utf-8")
        tables.write_marks(marks, results, self.items)
        imports = tables.write_imports(self.output, results, self.items, title)
        return [page, marks, *imports, self.book.zip_pages(results)]


def bearable_jobs(limits: Limits) -> int:
    """Notebooks at a time: one for each core, as far as the memory goes if each takes its most."""
    if os.name == "nt":
        return 1  # there are no turns there, and a notebook that measures must run alone
    here = machine.this_machine()
    by_memory = here.memory_bytes // limits.memory_bytes if here.memory_bytes else 1
    return max(1, min(int(machine.usable_cores()), by_memory))


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} s"
    return f"about {math.ceil(seconds / 60)} min"


def _heading(notebook: Path) -> str:
    """First heading of a notebook."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else []:
            if line.startswith("# "):
                return line.removeprefix("# ").strip()
    return ""


def _changes(before: Record, after: Record, items: list[Item]) -> str:
    pairs = [(i.title, before.points.get(i.id, 0.0), after.points.get(i.id, 0.0)) for i in items]
    return "; ".join(f"{title} {old:g} to {new:g}" for title, old, new in pairs if old != new)
