"""The sample class of the teacher's guide: invented students, through the real tables.

    python tests/grading/sample_class.py

writes ``book/sample_class`` anew; a test compares.
"""

import tempfile
from pathlib import Path

from amdahl_lab.grading import tables
from amdahl_lab.grading.export_names import sender
from amdahl_lab.grading.items import NOT_WRITTEN, Item
from amdahl_lab.grading.tables import Result

FOLDER = Path(__file__).parents[2] / "book" / "sample_class"
TITLE = "Exercises: a sample class"
ITEMS = [
    Item("speedup_numbers", 1, "speedup of numbers"),
    Item("speedup_arrays", 1, "speedup of arrays"),
    Item("fourth_test", 2, "a test that rejects a wrong law"),
    Item("same_parameters", 2, "same parameters as one worker"),
    Item("one_message", 1, "one message a step"),
]
_ARRAYS = "speedup stops with ValueError on every hidden input"
_SUM = "the gradients are summed over the ranks; their mean is asked for"
_AFTER = "counts once the parameters are right for unequal shards"


def results() -> list[Result]:
    """Marks of five invented students."""
    rows = [
        ("Sample Ada_101", [1, 1, 2, 2, 1], {}, "", 0.0),
        ("Sample Bo_102", [1, 0, 2, 2, 1], {1: _ARRAYS}, "", 1.0),
        ("Sample Chen_103", [1, 1, 0, 0, 0], {2: NOT_WRITTEN, 3: _SUM, 4: _AFTER}, "", 0.0),
        ("Sample Dee_104", [1, 0, 2, 0, 0], {1: _ARRAYS, 3: _SUM, 4: _AFTER}, "", 0.0),
        ("Sample Eli_105", None, {}, "not a notebook: it is not JSON", 0.0),
    ]
    made = []
    for name, points, hints, remark, by_hand in rows:
        path = f"{name}_assignsubmission_file_/work.ipynb"
        who = sender(path)
        made.append(
            Result(
                who.folder,
                who,
                path,
                None if points is None else sum(points) + by_hand,
                {item.id: float(n) for item, n in zip(ITEMS, points or [], strict=False)},
                {ITEMS[place].id: hint for place, hint in hints.items()},
                remark or ("a point by hand" if by_hand else ""),
                "2026-01-15T10:00:00+00:00",
            )
        )
    return made


def write(folder: Path) -> None:
    """Write the files that the guide shows."""
    with tempfile.TemporaryDirectory() as scratch:
        tables.write_imports(Path(scratch), results(), ITEMS, TITLE)
        lines = (Path(scratch) / "moodle.csv").read_text(encoding="utf-8")
    (folder / "moodle.csv").write_text(lines.replace("\r\n", "\n"), encoding="utf-8")
    text = tables.text_table(results(), ITEMS)
    (folder / "marks.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)
