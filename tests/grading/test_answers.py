"""Every answer of the corpus gets exactly its points and its hint, in a real sandbox.

Many answers share a kernel, one after the other: each defines its functions anew, as a student
does who runs a cell again. None of these tries to deceive; those that do are in `test_cheats`.
"""

import grading_corpus

from amdahl_lab.grading.items import Marking
from amdahl_lab.grading.marking import grade_id

PLAIN_SETUP = """
import math
import numpy as np
"""
PARALLEL_SETUP = """
import math
import numpy as np
import torch
import torch.distributed as dist
from amdahl_lab.statistics import ratio_interval
"""


def mark_all(session, assignment, seed, setup, answers):
    """Compare what each answer gets with what it must get; a line for each difference."""
    assert session.run(setup).status == "ok"
    wrong = []
    for answer in answers:
        run = session.run(answer.code)
        assert run.status == "ok", (answer.name, run.outputs)
        marking = Marking(session, seed)
        for check in assignment.checks[answer.cell]:
            for verdict in check.mark(marking):
                item, hint = verdict.item, answer.loses.get(verdict.item.id)
                expected = item.points if hint is None else 0.0
                if verdict.points != expected or (hint or "") not in verdict.hint:
                    wrong.append(f"{answer.name} | {item.id}: {verdict.points:g} {verdict.hint!r}")
    return wrong


def test_plain_answers_get_their_points_and_hints(session, assignment, seed):
    assert not mark_all(session, assignment, seed, PLAIN_SETUP, grading_corpus.PLAIN)


def test_parallel_answers_get_their_points_and_hints(session, assignment, seed):
    assert not mark_all(session, assignment, seed, PARALLEL_SETUP, grading_corpus.PARALLEL)


def test_another_seed_gives_the_same_points(session, assignment, seed):
    assert not mark_all(session, assignment, seed + 1, PLAIN_SETUP, grading_corpus.PLAIN)


def test_the_corpus_covers_every_item(assignment):
    answers = [*grading_corpus.PLAIN, *grading_corpus.PARALLEL]
    reports = {"report"}  # needs a run of the whole notebook: see test_reports
    for cell in assignment.checks:
        for item in assignment.items(cell):
            if item.id not in reports:
                mistakes = [a for a in answers if item.id in a.loses]
                rights = [a for a in answers if a.cell == cell and item.id not in a.loses]
                assert len(mistakes) >= 3, item.id
                assert rights, item.id


def test_the_empty_stub_runs_through_and_gets_nothing(stub, assignment, marker, submission):
    verdicts = marker.mark(stub, submission)
    assert list(verdicts) == [item.id for item in assignment.items()]
    assert {verdict.points for verdict in verdicts.values()} == {0.0}
    for cell in stub.cells:
        outputs = cell.get("outputs", [])
        assert "error" not in [output.output_type for output in outputs]
        if grade_id(cell) in assignment.checks:
            # The solution of exercise 1 is one of the laws that exercise 2 is tried on.
            lines = outputs[0].text.splitlines()
            assert lines
            assert all(line.startswith("not written yet: ") for line in lines)
            assert all(
                "not written yet" in v.hint or "counts once" in v.hint for v in verdicts.values()
            )


def test_points_in_the_notebook_are_those_of_the_hidden_checks(solution, assignment):
    cells = {grade_id(cell): cell for cell in solution.cells}
    graded = {name for name, c in cells.items() if c.metadata.get("nbgrader", {}).get("grade")}
    assert graded == set(assignment.checks)
    for name in graded:
        assert cells[name].metadata.nbgrader.points == assignment.points(name)
    assert assignment.points() == 20
