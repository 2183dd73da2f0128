"""Whether marks can be trusted: the same marks each time, no point lost on a busy machine.

    python tests/benchmarks/bench_trust.py

A class of four (the solution, the empty stub, two with mistakes in every exercise) is marked five
times with one seed. Then the exercise that measures is marked thirty times in the solution, while
two loops keep both cores busy and two notebooks run at once. Takes about ten minutes, and a quiet
machine is not needed: what counts is that nothing depends on one.
"""

import copy
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
from bench_cluster import Figure

COURSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(COURSE / "tests" / "grading"))

import corpus  # noqa: E402

from amdahl_lab.grading import sandbox, student_package  # noqa: E402
from amdahl_lab.grading.hidden import load_assignment  # noqa: E402
from amdahl_lab.grading.marking import NotebookMarker, grade_id  # noqa: E402

NAME, SEED = "01_amdahls_law", 20260101
GRADINGS, REPEATS, AT_ONCE = 5, 30, 2
MEASURING = ("check_3_average", "check_3_measure", "check_3_report")
NEEDED = ("setup", "answer_1_inverses", "answer_3_average", "block", "answer_3_measure")


def with_mistakes(solution: nbformat.NotebookNode, number: int) -> nbformat.NotebookNode:
    """Return the solution with a wrong answer to each exercise, the one of this number."""
    book = copy.deepcopy(solution)
    wrong = {}
    for answer in corpus.answers(NAME, measured=False):
        if answer.name.startswith("wrong"):
            wrong.setdefault(answer.cell.replace("check", "answer"), []).append(answer.code)
    for cell in book.cells:
        if grade_id(cell) in wrong:
            cell.source = wrong[grade_id(cell)][number]
    return book


def measuring_part(solution: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the cells that the measuring exercise needs."""
    book = copy.deepcopy(solution)
    kept = {*NEEDED, "answer_3_report", *MEASURING}
    book.cells = [cell for cell in book.cells if grade_id(cell) in kept]
    return book


def same_marks(marker: NotebookMarker, books: list, submission: Path) -> Figure:
    """Mark a class several times with one seed and count what differs from the first time."""

    def mark(book: nbformat.NotebookNode) -> list[tuple]:
        verdicts = marker.mark(copy.deepcopy(book), submission).values()
        return [(verdict.item.id, verdict.points, verdict.hint) for verdict in verdicts]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        gradings = [list(pool.map(mark, books)) for _ in range(GRADINGS)]
    differing = sum(
        entry not in first
        for grading in gradings[1:]
        for marks, first in zip(grading, gradings[0], strict=True)
        for entry in marks
    )
    for marks, what in zip(gradings[0], ("solution", "stub", "mistakes", "mistakes"), strict=True):
        print(f"  ({what}: {sum(points for _, points, _ in marks):g} points)")
    what = f"marks or hints that differ, {GRADINGS} gradings of {len(books)} notebooks"
    return Figure(what, differing, 0, "items", True)


def under_load(marker: NotebookMarker, book: nbformat.NotebookNode, submission: Path) -> Figure:
    """Mark the measuring exercise again and again while both cores are busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:

        def mark(_: int) -> tuple[float, float, list[str]]:
            started = time.monotonic()
            verdicts = marker.mark(copy.deepcopy(book), submission).values()
            lost = sum(verdict.item.points - verdict.points for verdict in verdicts)
            hints = [f"{v.item.id}: {v.hint}" for v in verdicts if v.hint]
            return lost, time.monotonic() - started, hints

        with ThreadPoolExecutor(AT_ONCE) as pool:
            marked = list(pool.map(mark, range(REPEATS)))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    for hint in (hint for _, _, hints in marked for hint in hints):
        print(f"  ({hint})")
    print(f"  (the slowest of them took {max(seconds for _, seconds, _ in marked):.0f} s)")
    lost = sum(lost for lost, _, _ in marked)
    return Figure(f"points lost in {REPEATS} repeats under load", lost, 0, "points", True)


def figures() -> list[Figure]:
    """Return both figures, or none where there is no sandbox."""
    try:
        sandbox.check_bubblewrap()
    except sandbox.SandboxMissing as missing:
        print(f"  (not measured: {missing})")
        return []
    assignment = load_assignment(COURSE / "solutions" / NAME)
    notebook = f"{NAME}/exercises.ipynb"
    solution = nbformat.read(COURSE / "solutions" / notebook, as_version=4)
    stub = nbformat.read(COURSE / "exercises" / notebook, as_version=4)
    books = [solution, stub, with_mistakes(solution, 0), with_mistakes(solution, 1)]
    measuring = replace(assignment, checks={name: assignment.checks[name] for name in MEASURING})
    with (
        tempfile.TemporaryDirectory(prefix="lab-package-") as folder,
        tempfile.TemporaryDirectory() as submission,
    ):
        package = student_package.prepare(Path(folder), assignment.put_away)
        marker = NotebookMarker(assignment, package, SEED, secret_folders=[COURSE])
        part = replace(marker, assignment=measuring)
        return [
            same_marks(marker, books, Path(submission)),
            under_load(part, measuring_part(solution), Path(submission)),
        ]


if __name__ == "__main__":
    for figure in figures():
        print(figure)
