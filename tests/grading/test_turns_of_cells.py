"""Which cells run alone, and what happens where no kernel comes up; a made-up kernel."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from amdahl_lab.grading import marking
from amdahl_lab.grading.items import Assignment, Item, Verdict
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.marking import NotebookMarker, NotStartedError
from amdahl_lab.grading.session import CellRun, KernelLostError


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


@dataclass(frozen=True)
class AskedWith:
    """A check of what was measured in one cell."""

    said: list
    subject: ClassVar[str] = "f"
    measured_in: ClassVar[str] = "measures"
    items: ClassVar[tuple] = (Item("i", 1, "an item"),)

    def mark(self, _):
        self.said.append("question")
        return [Verdict(self.items[0], 1.0)]


class Kernel:
    """Says which cell it runs; does not start as often as `refusals` says."""

    refusals = 0
    said: ClassVar[list] = []

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        if Kernel.refusals > 0:
            Kernel.refusals -= 1
            raise KernelLostError("it did not start in time")
        return self

    def __exit__(self, *_):
        pass

    def run(self, code, seconds):
        assert seconds > 0
        self.said.append(code)
        return CellRun("ok", (), 0.1)


class Turns:
    """Notes who takes which turn; every turn is waited for as if for ten minutes."""

    def __init__(self, said, clock):
        self.said, self.clock = said, clock

    @contextmanager
    def _turn(self, name):
        self.clock[0] += 600.0
        self.said.append(name)
        yield
        self.said.append("end")

    def together(self):
        return self._turn("together")

    def alone(self):
        return self._turn("alone")


def marked(monkeypatch, refusals=0):
    said, clock = [], [0.0]
    monkeypatch.setattr(Kernel, "said", said)
    monkeypatch.setattr(Kernel, "refusals", refusals)
    monkeypatch.setattr(marking, "KernelSession", Kernel)
    monkeypatch.setattr(marking.time, "monotonic", lambda: clock[0])
    cells = [
        new_code_cell(name, metadata={"nbgrader": {"grade_id": name}})
        for name in ("plain", "measures", "check")
    ]
    assignment = Assignment({"check": [AskedWith(said)]})
    marker = NotebookMarker(
        assignment, Path(), 1, Limits(notebook_seconds=300), turns=Turns(said, clock)
    )
    return marker.mark(new_notebook(cells=cells), Path()), said


def test_a_cell_that_measures_runs_alone_and_waiting_costs_no_time(monkeypatch):
    verdicts, said = marked(monkeypatch)  # it waits for longer than a notebook may take
    assert verdicts["i"].points == 1.0
    assert said == [
        *("together", "end"),  # the kernel starts
        *("together", "plain", "end"),
        *("alone", "measures", "end"),
        *("together", "check", "end"),
        *("together", "question", "end"),
    ]


def test_a_kernel_that_never_comes_up_is_no_zero_for_the_student(monkeypatch):
    with pytest.raises(NotStartedError, match="it did not start in time"):
        marked(monkeypatch, refusals=100)


def test_a_kernel_that_comes_up_at_the_second_try_is_as_good(monkeypatch):
    verdicts, _ = marked(monkeypatch, refusals=1)
    assert verdicts["i"].points == 1.0
