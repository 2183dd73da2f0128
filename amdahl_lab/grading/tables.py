"""The marks of a class as tables: for people, and for learning-management systems to import."""

import csv
import html
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amdahl_lab.grading.export_names import BLACKBOARD, CANVAS, MOODLE, Sender
from amdahl_lab.grading.items import Item


@dataclass(frozen=True)
class Result:
    """Marks of one student.

    Parameters
    ----------
    student : str
        Name that is safe for a folder.
    sender : Sender
    export_path : str
        Where it lay in the export.
    total : float or None
        As the gradebook has it; None if there is no mark.
    points : dict of str to float
        By item, as the checks gave them.
    hints : dict of str to str
        By item, where points are missing.
    remark : str
        Why there is no mark, or what a teacher should know.
    marked : str
        When, in UTC.
    """

    student: str
    sender: Sender
    export_path: str
    total: float | None = None
    points: dict[str, float] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    marked: str = ""

    @property
    def by_hand(self) -> float:
        """What a person added to the points of the checks or took off them."""
        return 0.0 if self.total is None else round(self.total - sum(self.points.values()), 6)


def write_marks(path: Path, results: Iterable[Result], items: Sequence[Item]) -> None:
    """Write one line for each student: who, total, each item, and what there is to say."""
    most = sum(item.points for item in items)
    # The mark at the file's beginning is what makes spreadsheets read accents rightly.
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        head = ["student", "identifier", "folder", "late", "total", "out of"]
        writer.writerow([*head, *(item.id for item in items), "by hand", "remark"])
        for one in results:
            known = one.total is not None
            who = [tame(one.sender.name), tame(one.sender.identifier), one.student]
            late = "late" if one.sender.late else ""
            total = f"{one.total:g}" if known else ""
            points = [f"{one.points.get(item.id, 0.0):g}" if known else "" for item in items]
            by_hand = f"{one.by_hand:+g}" if one.by_hand else ""
            row = [*who, late, total, f"{most:g}", *points, by_hand, tame(one.remark)]
            writer.writerow(row)


def tame(text: str) -> str:
    """Text from a student's file name, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_imports(
    folder: Path, results: Iterable[Result], items: Sequence[Item], title: str
) -> list[Path]:
    """Write the file that each learning-management system imports, for its own students.

    Students without a mark are left out, so that an import never writes a zero for them.

    Parameters
    ----------
    folder : Path
        Where to.
    results : iterable of Result
        One for each student.
    items : sequence of Item
        All items of the assignment.
    title : str
        Name of the assignment in the system.

    Returns
    -------
    list of Path
        The files written: none where the names tell of no system.
    """
    most = sum(item.points for item in items)
    known = [one for one in results if one.total is not None]
    written = []
    for system, rows in (
        (MOODLE, _moodle_rows(known, items, most)),
        (CANVAS, _canvas_rows(known, title, most)),
        (BLACKBOARD, _blackboard_rows(known, title, most)),
    ):
        path = folder / f"{system.lower()}.csv"
        path.unlink(missing_ok=True)
        if any(one.sender.system == system for one in known):
            with path.open("w", newline="", encoding="utf-8") as file:
                quoting = csv.QUOTE_ALL if system == BLACKBOARD else csv.QUOTE_MINIMAL
                csv.writer(file, quoting=quoting).writerows(rows)
            written.append(path)
    return written


def _moodle_rows(results: Iterable[Result], items: Sequence[Item], most: float) -> list[list[str]]:
    # Moodle's offline grading worksheet, English names. It takes the number after "Participant "
    # for the student, and the last column only where feedback comments are on.
    head = ["Identifier", "Full name", "Grade", "Maximum Grade"]
    rows = [[*head, "Last modified (grade)", "Feedback comments"]]
    for one in results:
        if one.sender.system == MOODLE:
            who = [f"Participant {one.sender.identifier}", tame(one.sender.name)]
            rows.append(
                [*who, f"{one.total:g}", f"{most:g}", one.marked, html.escape(_comment(one, items))]
            )
    return rows


def _comment(result: Result, items: Sequence[Item]) -> str:
    lost = [f"{item.title}: {result.hints[item.id]}" for item in items if item.id in result.hints]
    return " / ".join(lost)


def _canvas_rows(results: Iterable[Result], title: str, most: float) -> list[list[str]]:
    # Canvas finds the student by ID and the assignment by its name, with "(number)" or without.
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]]
    rows.append(["    Points Possible", "", "", "", "", f"{most:g}"])
    for one in results:
        if one.sender.system == CANVAS and one.sender.identifier.isdigit():
            name, identifier = tame(one.sender.name), one.sender.identifier
            rows.append([name, identifier, "", "", "", f"{one.total:g}"])
    return rows


def _blackboard_rows(results: Iterable[Result], title: str, most: float) -> list[list[str]]:
    # A column that carries its number, as in a downloaded file, goes where it came from.
    column = title if "|" in title else f"{title} [Total Pts: {most:g} Score]"
    rows = [["Username", column]]
    for one in results:
        if one.sender.system == BLACKBOARD:
            rows.append([tame(one.sender.identifier), f"{one.total:g}"])
    return rows


def text_table(results: Iterable[Result], items: Sequence[Item]) -> str:
    """Marks as a table of text: students down, items across by number, their titles below."""
    results = list(results)
    width = max([len("student"), *(_columns(one.student) for one in results)])
    heads = [str(number) for number in range(1, len(items) + 1)]
    lines = [f"{'student':{width}}  total  " + " ".join(f"{head:>3}" for head in heads)]
    for one in results:
        who = one.student + " " * (width - _columns(one.student))
        if one.total is None:
            lines.append(f"{who}  {'-':>5}  {one.remark}")
            continue
        points = " ".join(f"{one.points.get(item.id, 0.0):>3g}" for item in items)
        lines.append(f"{who}  {one.total:>5g}  {points}  {one.remark}")
    lines += [
        f"{head:>3}  {item.points:g}  {item.title}" for head, item in zip(heads, items, strict=True)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _columns(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)
