"""Time and memory of marking a class of thirty, beside the goals.

    python tests/benchmarks/bench_grading.py [STUDENTS]

The class is made from the corpus of right, wrong and empty answers: a third of it hands in the
solution, a third a mix of answers of the corpus, and a third the notebook as it was given out.
"""

import copy
import itertools
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

ROOT = Path(__file__).parents[2]
NAME = "01_amdahls_law"
sys.path.insert(0, str(ROOT / "tests" / "grading"))

import corpus  # noqa: E402

from amdahl_lab.grading import classroom  # noqa: E402
from amdahl_lab.grading.limits import Limits  # noqa: E402
from amdahl_lab.grading.marking import grade_id  # noqa: E402
from amdahl_lab.grading.orders import Order  # noqa: E402

SEED = 20260101


@dataclass(frozen=True)
class Figure:
    """One figure and the most that it may be."""

    what: str
    value: float
    goal: float
    unit: str

    def __str__(self) -> str:
        verdict = "reached" if self.value <= self.goal else "NOT REACHED"
        value = f"{self.value:>14.2f} at most {self.goal:>12g}"
        return f"{self.what:<58} {value} {self.unit:<16} {verdict}"


def notebooks(students: int) -> list[nbformat.NotebookNode]:
    """Thirty submissions that are not alike."""
    path = Path(NAME, "exercises.ipynb")
    solution = nbformat.read(ROOT / "solutions" / path, as_version=4)
    stub = nbformat.read(ROOT / "exercises" / path, as_version=4)
    by_cell: dict[str, list[str]] = {}
    for answer in corpus.answers(NAME, measured=False):
        by_cell.setdefault(answer.cell.replace("check_", "answer_"), []).append(answer.code)
    answers = {name: itertools.cycle(codes) for name, codes in by_cell.items()}
    made = []
    for number in range(students):
        book = copy.deepcopy(stub if number % 3 == 2 else solution)
        for cell in book.cells if number % 3 == 1 else []:
            if grade_id(cell) in answers:
                cell.source = next(answers[grade_id(cell)])
        made.append(book)
    return made


class Memory:
    """Largest private memory of this process and all below it, looked at five times a second."""

    def __init__(self) -> None:
        self.all = self.own = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        here = psutil.Process()
        while not self._over.wait(0.2):
            self.own = max(self.own, _private(here))
            tree = [here, *here.children(recursive=True)]
            self.all = max(self.all, sum(_private(process) for process in tree))


def _private(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
        return memory.rss - memory.shared
    except psutil.Error:  # it ended between two looks
        return 0


def figures(students: int = 30) -> list[Figure]:
    """Mark the class once, and once more when nothing is new."""
    with tempfile.TemporaryDirectory(prefix="bench class ") as scratch:
        folder = Path(scratch, "handed in")
        for number, book in enumerate(notebooks(students)):
            path = (
                folder / f"Student {number:02}_{1000 + number}_assignsubmission_file_" / "x.ipynb"
            )
            path.parent.mkdir(parents=True)
            nbformat.write(book, path)
        order = Order(ROOT, folder, Path(scratch, "marks"), seed=SEED)
        with Memory() as memory:
            begun = time.monotonic()
            marks = classroom.grade(order, lambda line: print(f"  {line}", flush=True))
            took = time.monotonic() - begun
        begun = time.monotonic()
        again = classroom.grade(order, lambda line: None)
        took_again = time.monotonic() - begun
    totals = [result.total for result in marks.results]
    assert totals == [result.total for result in again.results]
    most = sum(item.points for item in marks.items)
    assert all(total == most for total in totals[::3]), totals
    assert all(total == 0 for total in totals[2::3]), totals
    jobs = classroom.bearable_jobs(Limits())
    limit = (jobs * Limits().memory_bytes + 2**30) / 2**30
    return [
        Figure(f"a class of {students}, {jobs} at a time", took / 60, 10, "min"),
        Figure("the same class again, nothing new", took_again, 60, "s"),
        Figure("memory of everything together", memory.all / 2**30, limit, "GiB"),
        Figure("memory of the process that keeps the class", memory.own / 2**30, 1, "GiB"),
    ]


if __name__ == "__main__":
    for figure in figures(*(int(number) for number in sys.argv[1:2])):
        print(figure)
