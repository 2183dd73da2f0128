"""A class from its export to its tables, with nbgrader's real gradebook and no kernel.

In place of the sandbox a line in a student's first answer says how many items it gets right.
"""

import csv
import hashlib
import os
import re
import signal
import zipfile
from dataclasses import replace

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from amdahl_lab.grading import classroom, workers
from amdahl_lab.grading import course as course_commands
from amdahl_lab.grading.__main__ import main
from amdahl_lab.grading.finished import Record
from amdahl_lab.grading.items import Verdict
from amdahl_lab.grading.marking import NotebookMarker, grade_id, write_points
from amdahl_lab.grading.notebooks import read_notebook
from amdahl_lab.grading.restore import restore

NAME = "01_amdahls_law"
HINT = "look <again>"
FIRST = "answer_1_speedup"


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


@pytest.fixture(autouse=True)
def _no_sandbox_needed(monkeypatch):
    monkeypatch.setattr(classroom.sandbox, "check_bubblewrap", lambda: None)

    def refuse(*_):
        raise AssertionError("a notebook would have been run a second time")

    monkeypatch.setattr(NotebookMarker, "mark", refuse)


@pytest.fixture
def marked(monkeypatch, assignment):
    """Students in the order in which they are marked; the marking is made up."""
    students = []

    def each(task, jobs, processes, seconds):
        for job in jobs:
            students.append(job.student)
            if job.student == "Crash_9":
                yield job, workers.Failure("the process that marked it ended (-9)")
                continue
            yield job, made_up(task, job, assignment)

    monkeypatch.setattr(classroom.workers, "each", each)
    return students


def made_up(task, job, assignment):
    notebook = read_notebook(job.notebook)
    restore(notebook, task.released)
    said = re.search(r"right: (\d+)", notebook.cells and all_text(notebook))
    left = int(said[1]) if said else 100 if job.student == ".solution" else 0
    verdicts = []
    for cell in notebook.cells:
        if grade_id(cell) in assignment.checks:
            cell.outputs = []
            here = []
            for item in assignment.items(grade_id(cell)):
                won = left > 0
                left -= 1
                here.append(Verdict(item, item.points if won else 0.0, "" if won else HINT))
            write_points(cell, here)
            verdicts += here
    return Record.of(job.key, notebook, verdicts, 3.0, "2026-01-02T03:04:05+00:00")


def all_text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def answer(stub, right):
    book = nbformat.from_dict(stub)
    book = nbformat.reads(nbformat.writes(book), as_version=4)
    for cell in book.cells:
        if grade_id(cell) == FIRST:
            cell.source += f"\n# right: {right}"
    return book


@pytest.fixture(scope="session")
def first_answer(stub):
    """The stub must have the cell that the made-up marking reads."""
    assert FIRST in {grade_id(cell) for cell in stub.cells}


def hand_in(folder, name, book):
    path = folder / f"{name}_assignsubmission_file_" / "my work.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


def hashes(folder):
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def grade(course, folder, output, *more):
    arguments = ["--course", str(course), "grade", str(folder), "--output", str(output), *more]
    return main([arguments[0], arguments[1], *arguments[2:]])


def test_a_class_through_a_term(course, stub, marked, tmp_path, capsys, first_answer):
    folder, output = tmp_path / "handed in", tmp_path / "marks"
    hand_in(folder, "Zoë Ångström_1", answer(stub, 18))
    hand_in(folder, "王小明_2", answer(stub, 5))
    hand_in(folder, "=SUM(A1)_3", answer(stub, 5))
    hand_in(folder, "Crash_9", answer(stub, 5))
    hand_in(folder, "Bo_4", stub).write_text("{ no notebook")
    before = hashes(folder)

    # Mark: the solution first, then each student once; the broken ones are named.
    assert grade(course, folder, output) == 1
    said = capsys.readouterr().out
    assert marked == [".solution", "SUM_A1_3", "Crash_9", "Zoë_Ångström_1", "王小明_2"]
    assert "5 handed in, 1 of them cannot be marked" in said
    assert "Marking 4" in said
    assert "about 10 s" in said  # two at a time, three seconds each, and never less than ten
    table = {row["student"]: row for row in rows(output / "marks.csv")}
    assert table["Zoë Ångström"]["total"] == "18"
    assert table["王小明"]["identifier"] == "2"
    assert table["Bo"]["total"] == ""
    assert table["Bo"]["remark"] == "not a notebook: it is not JSON"
    assert "ended (-9)" in table["Crash"]["remark"]
    assert "'=SUM(A1)" in table  # no spreadsheet takes it for a formula
    five = course_commands.gradebook_scores(output, NAME)["王小明_2"]
    assert float(table["王小明"]["total"]) == five > 0

    # The systems' files hold the marked ones alone.
    moodle = {row["Identifier"]: row for row in rows(output / "moodle.csv")}
    assert set(moodle) == {"Participant 1", "Participant 2", "Participant 3"}
    assert {"Grade", "Last modified (grade)", "Feedback comments"} <= set(moodle["Participant 1"])
    assert moodle["Participant 1"]["Grade"] == "18"
    assert "look &lt;again&gt;" in moodle["Participant 2"]["Feedback comments"]
    assert not (output / "canvas.csv").exists()
    with zipfile.ZipFile(output / "feedback.zip") as archive:
        assert "王小明_2_assignsubmission_file_/feedback.html" in archive.namelist()
        assert len(archive.namelist()) == 3
        assert HINT.split()[0] in archive.read(archive.namelist()[0]).decode()

    # The summary is one page that loads nothing and takes no markup from anyone.
    page = BeautifulSoup((output / "summary.html").read_text(encoding="utf-8"), "html.parser")
    assert "5 handed in, 3 marked" in page.text
    assert HINT in page.text
    assert not page.find_all(["script", "img", "link", "again"])

    # Again: nothing is marked but the one that failed.
    del marked[:]
    grade(course, folder, output)
    assert marked == ["Crash_9"]
    assert "3 marked before and unchanged" in capsys.readouterr().out

    # A student hands in again, and the teacher gives another a point by hand.
    hand_in(folder, "王小明_2", answer(stub, 7))
    with Gradebook(f"sqlite:///{output / 'gradebook.db'}") as gradebook:
        grade_of_zoe = gradebook.find_grade("check_1_speedup", "exercises", NAME, "Zoë_Ångström_1")
        grade_of_zoe.extra_credit = 0.5
        comment = gradebook.find_comment(FIRST, "exercises", NAME, "Zoë_Ångström_1")
        comment.manual_comment = "A lovely way to write it."
        gradebook.db.commit()
    del marked[:]
    grade(course, folder, output)
    assert marked == ["Crash_9", "王小明_2"]
    table = {row["student"]: row for row in rows(output / "marks.csv")}
    assert float(table["王小明"]["total"]) > five
    assert table["王小明"]["remark"].startswith("changed since last time: ")
    assert table["Zoë Ångström"]["total"] == "18.5"
    assert table["Zoë Ångström"]["by hand"] == "+0.5"
    feedback = output / "feedback" / "Zoë_Ångström_1" / NAME / "exercises.html"
    assert "A lovely way to write it." in feedback.read_text()

    # nbgrader's own commands on the same folder; its autograde runs nothing a second time.
    commands = course_commands.interface(course_commands.configuration(output), output)
    course_commands.succeed(commands.autograde, NAME, "王小明_2")
    assert course_commands.gradebook_scores(output, NAME)["王小明_2"] > five

    # Another seed asks other questions, so everybody is marked again, the solution too.
    del marked[:]
    grade(course, folder, output, "--seed", "5")
    assert marked == [".solution", "SUM_A1_3", "Crash_9", "Zoë_Ångström_1", "王小明_2"]
    assert (output / "grading_seed").read_text().strip() == "5"

    after = hashes(folder)
    del before[next(name for name in before if "王小明" in name)]
    assert {name: after[name] for name in before} == before


def test_an_interrupt_keeps_what_is_marked_and_a_bad_solution_too(
    course, stub, marked, tmp_path, monkeypatch, capsys, first_answer
):
    folder, output = tmp_path / "class", tmp_path / "marks"
    for name in ("Ann_1", "Bob_2", "Cyd_3"):
        hand_in(folder, name, answer(stub, 3))
    told = classroom.workers.each

    def each(task, jobs, processes, seconds):
        for job, record in told(task, jobs, processes, seconds):
            if job.student == "Bob_2":
                os.kill(os.getpid(), signal.SIGINT)
            yield job, record

    monkeypatch.setattr(classroom.workers, "each", each)
    assert grade(course, folder, output) == 130
    assert "the same command goes on" in capsys.readouterr().err
    table = {row["student"]: row for row in rows(output / "marks.csv")}
    assert table["Ann"]["total"] != ""
    assert table["Bob"]["remark"] == table["Cyd"]["remark"] == "not marked yet"
    monkeypatch.setattr(classroom.workers, "each", told)
    del marked[:]
    assert grade(course, folder, output) == 0
    assert marked == ["Bob_2", "Cyd_3"]

    # Where the solution itself loses points, nobody is marked: what was there stays.
    before = rows(output / "marks.csv")

    def each_to_nothing(task, jobs, processes, seconds):
        for job, record in told(task, jobs, processes, seconds):
            yield job, replace(record, points=dict.fromkeys(record.points, 0.0))

    monkeypatch.setattr(classroom.workers, "each", each_to_nothing)
    assert grade(course, folder, output, "--seed", "7") == 1
    assert "the solution itself must get all points" in capsys.readouterr().err
    assert rows(output / "marks.csv") == before


def test_bad_orders_are_refused_in_one_sentence(course, stub, tmp_path, capsys):
    folder = tmp_path / "class"
    nbformat.write(nbformat.v4.new_notebook(), hand_in(folder, "Ann_1", stub))
    for more, says in (
        ([], "assignment must be named"),
        (["--assignment", "nine"], "assignment must be one of"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--output", str(folder / "marks")], "output must lie outside of the submissions"),
    ):
        assert grade(course, folder, tmp_path / "marks", *more) == 1
        assert says in capsys.readouterr().err
    assert grade(course, tmp_path / "nothing", tmp_path / "marks") == 1
    assert "submissions must be a folder or a zip" in capsys.readouterr().err
