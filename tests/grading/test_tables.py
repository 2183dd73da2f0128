"""Tables for people and for learning-management systems, and the page about a class."""

import csv
from dataclasses import replace

import pytest
import sample_class
from bs4 import BeautifulSoup

from amdahl_lab.grading import summary, tables
from amdahl_lab.grading.export_names import senders
from amdahl_lab.grading.items import NOT_WRITTEN, Item
from amdahl_lab.grading.tables import Result

ITEMS = [Item("a", 3, "first & last"), Item("b", 7, "second")]


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


def class_of(*names, **changes):
    found = senders(names)
    return [
        replace(
            Result(one.folder, one, name, 6.0, {"a": 1.0, "b": 5.0}, {"a": "h"}, "", "2026"),
            **changes,
        )
        for name, one in found.items()
    ]


def written(tmp_path, results, title="Week 1"):
    paths = tables.write_imports(tmp_path, results, ITEMS, title)
    found = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = list(csv.reader(file))
    return found


def test_the_guide_shows_what_the_tables_write(tmp_path):
    sample_class.write(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_text() == (sample_class.FOLDER / path.name).read_text(), path.name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["marks.txt", "moodle.csv"]


def test_canvas_finds_its_columns_and_its_students(tmp_path):
    """Canvas wants the name first, ID second, the section last before assignments."""
    names = ["bellann_77_9001_w.ipynb", "lijun_LATE_78_9002_w.ipynb", "anon_Qx_9003_w.ipynb"]
    (rows,) = written(tmp_path, class_of(*names), "Week 1 (4711)").values()
    assert rows[0][:2] == ["Student", "ID"]
    assert rows[0][-2:] == ["Section", "Week 1 (4711)"]
    assert "Points Possible" in rows[1][0]
    assert rows[1][-1] == "10"
    assert [(row[1], row[-1]) for row in rows[2:]] == [("77", "6"), ("78", "6")]
    assert {len(row) for row in rows} == {6}


def test_blackboard_gets_user_names_and_a_column_that_it_knows(tmp_path):
    names = [f"Week 1_{user}_attempt_2026-11-20-10-11-12_w.ipynb" for user in ("ann", "bo")]
    rows = written(tmp_path, class_of(*names))["blackboard.csv"]
    assert rows == [["Username", "Week 1 [Total Pts: 10 Score]"], ["ann", "6"], ["bo", "6"]]
    assert (tmp_path / "blackboard.csv").read_text().startswith('"Username","')
    known = "Week 1 [Total Pts: 10 Score] |815"
    assert written(tmp_path, class_of(*names), known)["blackboard.csv"][0][1] == known


def test_no_import_ever_writes_a_zero_for_a_missing_mark(tmp_path):
    names = ["A_1_assignsubmission_file_/w.ipynb", "B_2_assignsubmission_file_/w.ipynb"]
    first, second = class_of(*names)
    rows = written(tmp_path, [first, replace(second, total=None, points={})])["moodle.csv"]
    assert [row[0] for row in rows[1:]] == ["Participant 1"]
    assert written(tmp_path, [replace(first, total=None)]) == {}
    assert not (tmp_path / "moodle.csv").exists()


def test_a_name_that_looks_like_a_formula_is_tamed(tmp_path):
    for name in ("=1+1", "+1", "-1", "@x", "\tx"):
        assert tables.tame(name)[0] == "'"
    assert tables.tame("Ann-Bo") == "Ann-Bo"
    results = class_of("=HYPERLINK(1)_1_assignsubmission_file_/w.ipynb")
    tables.write_marks(tmp_path / "marks.csv", results, ITEMS)
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["student"] == "'=HYPERLINK(1)"
    assert (row["total"], row["out of"], row["a"], row["b"]) == ("6", "10", "1", "5")


def page_of(results, items=ITEMS):
    text = summary.class_page(results, items, "Week <1>")
    return text, BeautifulSoup(text, "html.parser")


def test_the_page_counts_every_total_once():
    names = [f"S_{n}_assignsubmission_file_/w.ipynb" for n in range(11)]
    results = [
        replace(one, total=float(n), points={"a": min(n, 3.0), "b": max(0.0, n - 3.0)})
        for n, one in enumerate(class_of(*names))
    ]
    assert sum(number for _, number in summary.counted([r.total for r in results], 10)) == 11
    assert sum(n for _, n in summary.counted([0.0, 19.5, 20.0, 21.0], 20)) == 4
    _, page = page_of(results)
    label = page.svg["aria-label"]
    assert "0 points: 1" in label
    assert "10 points: 1" in label
    assert "Median 5 of 10, from 0 to 10." in page.text


def test_hardest_items_come_first_and_recurring_mistakes_are_counted():
    names = [f"S_{n}_assignsubmission_file_/w.ipynb" for n in range(4)]
    hints = [{"a": "upside down"}, {"a": "upside down", "b": NOT_WRITTEN}, {"b": "rare"}, {}]
    results = [
        replace(one, points={"a": 3.0, "b": 0.7}, hints=hint)
        for one, hint in zip(class_of(*names), hints, strict=True)
    ]
    _, page = page_of(results)
    items, wrong = page.find_all("table")[:2]
    assert [row.td.text for row in items.find_all("tr")[1:]] == ["second", "first & last"]
    assert items.find_all("tr")[1].find_all("td")[1].text == "10%"
    rows = [[cell.text for cell in row.find_all("td")] for row in wrong.find_all("tr")[1:]]
    assert rows == [["2", "first & last", "upside down"], ["1", "second", "rare"]]
    assert "Answers not written at all: 1." in page.text


def test_the_page_loads_nothing_and_lets_no_markup_in():
    results = class_of("<script>alert(1)<_script>_1_assignsubmission_file_/w.ipynb")
    results = [replace(results[0], remark="<img src=x>", hints={"a": "<b>&"})]
    text, page = page_of(results)
    assert "default-src 'none'" in text
    assert not page.find_all(["script", "img", "link", "b"])
    assert "Week <1>" in page.h1.text
    assert "http" not in text.replace("http-equiv", "")


def test_a_class_without_a_mark_has_a_page_too():
    results = class_of("A_1_assignsubmission_file_/w.ipynb", total=None, remark="an empty file")
    _, page = page_of(results)
    assert "1 handed in, 0 marked" in page.text
    assert "an empty file" in page.text
