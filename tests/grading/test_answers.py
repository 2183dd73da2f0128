"""Every answer of the corpus gets exactly its points and its hint, in a real sandbox.

Many answers share a kernel, one after the other: each defines its functions anew, as a student
does who runs a cell again. None of these tries to deceive; those that do are in `test_cheats`.
"""

import copy
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import corpus
import nbformat
import pytest

from amdahl_lab.grading import probe
from amdahl_lab.grading.items import Marking
from amdahl_lab.grading.marking import grade_id

GROUPS = [
    pytest.param(chapter, group, id=f"{chapter[:2]}-{group.name}")
    for chapter in corpus.CHAPTERS
    for group in corpus.groups(chapter)
]
each_group = pytest.mark.parametrize(
    ("chapter", "group"), GROUPS, indirect=["chapter"], scope="session"
)
each_chapter = pytest.mark.parametrize("chapter", corpus.CHAPTERS, indirect=True, scope="session")


def differences(assignment, answer, marking):
    """What an answer gets beside what it must get; a line for each difference."""
    wrong = []
    for check in assignment.checks[answer.cell]:
        for verdict in check.mark(marking):
            item, hint = verdict.item, answer.loses.get(verdict.item.id)
            expected = item.points if hint is None else 0.0
            if verdict.points != expected or (hint or "") not in verdict.hint:
                wrong.append(f"{answer.name} | {item.id}: {verdict.points:g} {verdict.hint!r}")
    return wrong


def cells_of(solution, names):
    """Source of some cells of the solution, in order."""
    return "\n".join(cell.source for cell in solution.cells if grade_id(cell) in names)


@each_group
def test_answers_get_their_points_and_hints(group, session, assignment, solution, seed):
    assert session.run(group.setup + "\n" + cells_of(solution, group.cells)).status == "ok"
    runs, wrong = {}, []
    if group.measured:
        cell, code = group.measured
        runs[cell] = session.run(code)
        assert runs[cell].status == "ok", runs[cell].outputs
    for answer in group.answers:
        run = session.run(answer.code)
        assert run.status == "ok", (answer.name, run.outputs)
        wrong += differences(assignment, answer, Marking(session, seed, runs))
    assert not wrong


def test_measuring_loses_no_point_on_a_busy_machine(marker, assignment, solution, submission):
    """A short version of `bench_trust`: two loops on two cores, two notebooks at once."""
    measuring = ("check_3_average", "check_3_measure", "check_3_report")
    needed = ("setup", "answer_1_inverses", "answer_3_average", "block", "answer_3_measure")
    marker.assignment = replace(
        assignment, checks={name: assignment.checks[name] for name in measuring}
    )
    solution = copy.deepcopy(solution)
    kept = {*measuring, *needed, "answer_3_report"}
    solution.cells = [cell for cell in solution.cells if grade_id(cell) in kept]
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with ThreadPoolExecutor(2) as pool:
            books = [copy.deepcopy(solution) for _ in range(2)]
            marked = list(pool.map(lambda book: marker.mark(book, submission), books))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    for verdicts in marked:
        assert not [(v.item.id, v.hint) for v in verdicts.values() if v.points < v.item.points]


class SameProcess:
    """Answers like a kernel, in this process: for answers that are known to be harmless."""

    def __init__(self, setup):
        self.namespace = {}
        exec(setup, self.namespace)

    def ask(self, kind, question, *, service=None, seconds=None):
        class Asker(probe.Asker):
            def send(self, body):
                return json.loads(json.dumps(service(json.loads(json.dumps(body)))))

        question = json.loads(json.dumps(question))
        answer = getattr(probe, kind)(self.namespace, Asker(None, ""), **question)
        return json.loads(json.dumps(answer))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("chapter", "group"),
    [g for g in GROUPS if g.values[1].every_seed],
    indirect=["chapter"],
    scope="session",
)
def test_every_seed_gives_the_same_points_and_hints(group, assignment, seed):
    wrong = []
    for answer in group.answers:
        session = SameProcess(group.setup)
        exec(answer.code, session.namespace)
        wrong += differences(assignment, answer, Marking(session, seed, notebook=answer.code))
    assert not wrong


def test_hidden_inputs_follow_from_seed_and_notebook():
    def draw(**changed):
        known = {"session": None, "seed": 1, "notebook": "x"}
        return Marking(**known | changed).rng("item").random(3).tolist()

    assert draw() == draw()
    assert draw(seed=2) != draw()
    assert draw(notebook="x ") != draw()


@each_chapter
def test_the_corpus_covers_every_item(chapter, assignment):
    """Solution and stub of each chapter are marked as they are; the rest is counted here."""
    answers = corpus.answers(chapter)
    for cell in assignment.checks:
        for item in assignment.items(cell):
            here = [answer for answer in answers if answer.cell == cell]
            rights = [answer for answer in here if item.id not in answer.loses]
            mistakes = [answer for answer in here if item.id in answer.loses]
            assert len(rights) >= 1, f"{item.id}: another right answer is missing"
            assert len(mistakes) >= 3, f"{item.id}: three wrong answers are missing"
            assert any(a.loses[item.id] for a in mistakes), f"{item.id}: no hint is proven"


@each_chapter
def test_every_misconception_of_the_hidden_checks_is_met(chapter, assignment):
    """Each mistake that a check knows is made by an answer of the corpus."""
    hints = [hint for answer in corpus.answers(chapter) for hint in answer.loses.values()]
    for checks in assignment.checks.values():
        for check in checks:
            for mistake in getattr(check, "misconceptions", ()):
                assert any(hint and hint in mistake.hint for hint in hints), mistake.hint


@each_chapter
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


@each_chapter
def test_points_in_the_notebook_are_those_of_the_hidden_checks(solution, assignment):
    cells = {grade_id(cell): cell for cell in solution.cells}
    graded = {name for name, c in cells.items() if c.metadata.get("nbgrader", {}).get("grade")}
    assert graded == set(assignment.checks)
    for name in graded:
        assert cells[name].metadata.nbgrader.points == assignment.points(name)
    assert assignment.points() == 20


@each_chapter
def test_exercises_hold_no_solution(stub, solution):
    text = nbformat.writes(stub)
    assert "SOLUTION" not in text
    for cell in solution.cells:
        lines = cell.source.split("### BEGIN SOLUTION")[1:]
        for part in lines:
            for line in part.split("### END SOLUTION")[0].splitlines():
                if len(line.strip()) > 20:
                    assert line.strip() not in text, line


@each_chapter
def test_the_solution_was_run_and_every_visible_check_is_right(solution, assignment):
    for cell in solution.cells:
        assert cell.cell_type == "markdown" or cell.execution_count is not None
        if grade_id(cell) in assignment.checks:
            text = "".join(output.text for output in cell.outputs)
            assert text
            assert all(line.startswith("right: ") for line in text.splitlines())


@each_chapter
def test_the_solution_gets_every_point(marker, solution, submission):
    verdicts = marker.mark(copy.deepcopy(solution), submission)
    assert not [(v.item.id, v.hint) for v in verdicts.values() if v.points < v.item.points]
