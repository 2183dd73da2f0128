"""Puts a submitted notebook back into the shape in which it was released.

Students delete, copy, move and edit cells, by accident and on purpose. What counts is known from
the gradebook: each released cell appears once, in its order, with its kind and points; locked
cells have their text again; the student's answers and own cells stay, as long as a person could
have written them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

MOST_OWN_CELLS = 300
LONGEST_CELL = 100_000  # characters


@dataclass(frozen=True)
class ReleasedCell:
    """A released cell that nbgrader knows about.

    Parameters
    ----------
    grade_id : str
    cell_type : str
        ``"code"`` or ``"markdown"``.
    source : str
        Its text at release.
    checksum : str
    locked, solution : bool
    points : float or None
        Most points for a cell that gives some.
    """

    grade_id: str
    cell_type: str
    source: str
    checksum: str
    locked: bool
    solution: bool
    points: float | None = None

    def metadata(self) -> dict[str, Any]:
        """What nbgrader expects in the cell's metadata."""
        known = {
            "grade_id": self.grade_id,
            "cell_type": self.cell_type,
            "checksum": self.checksum,
            "grade": self.points is not None,
            "locked": self.locked,
            "solution": self.solution,
            "task": False,
            "schema_version": 3,
        }
        return known if self.points is None else {**known, "points": self.points}


def restore(notebook: NotebookNode, released: Sequence[ReleasedCell]) -> list[str]:
    """Put released cells back in place.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place. Outputs go: what a submitted notebook shows proves nothing.
    released : sequence of ReleasedCell
        The released cells in their order.

    Returns
    -------
    list of str
        What had to be mended, for the log.
    """
    known = {cell.grade_id: cell for cell in released}
    mended: list[str] = []
    found: dict[str, NotebookNode] = {}
    layout: list[NotebookNode | None] = []  # None: a place for the next released cell
    own = 0
    for cell in notebook.cells:
        name = _grade_id(cell)
        cell.metadata = NotebookNode()
        if len(cell.source) > LONGEST_CELL:
            mended.append(f"a cell had {len(cell.source)} characters, {LONGEST_CELL} were kept")
            cell.source = cell.source[:LONGEST_CELL]
        if name in known and name not in found:
            found[name] = _mended(cell, known[name], mended)
            layout.append(None)
        else:
            if name in known:
                mended.append(f"{name} was there more than once")
            own += 1
            if own <= MOST_OWN_CELLS:
                layout.append(_cleared(cell))
    if own > MOST_OWN_CELLS:
        mended.append(f"there were {own} cells of their own, {MOST_OWN_CELLS} were kept")
    present = [cell for cell in released if cell.grade_id in found]
    places = [place for place, cell in enumerate(layout) if cell is None]
    for place, cell in zip(places, present, strict=True):
        layout[place] = found[cell.grade_id]
    notebook.cells = _with_missing(layout, released, found, mended)
    return mended


def _grade_id(cell: Mapping[str, Any]) -> str:
    entry = cell.get("metadata", {}).get("nbgrader", {})
    name = entry.get("grade_id") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else ""


def _cleared(cell: NotebookNode) -> NotebookNode:
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.cell_type = "markdown"  # a raw cell would reach the page as it is
        cell.source = harmless(cell.source)
        cell.pop("attachments", None)
    return cell


def harmless(text: str) -> str:
    """Take the power out of markup that a student wrote into text.

    nbgrader shows text cells of students as they are, in the grader's browser. A tag needs a
    letter right after its bracket, so a space there turns it into text.
    """
    text = re.sub(r"&(?=#?\w+;)", "& ", text)  # an entity would come back as the sign it stands for
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", text).replace(r"\href", r"\text")
    return re.sub(r"(?i)\b(javascript|vbscript|data)\s*:", r"\1 :", text)


def _mended(cell: NotebookNode, released: ReleasedCell, mended: list[str]) -> NotebookNode:
    source = cell.source
    if released.locked and source != released.source:
        mended.append(f"{released.grade_id} had another text")
        source = released.source
    if cell.cell_type != released.cell_type:
        mended.append(f"{released.grade_id} was a {cell.cell_type} cell")
    if released.cell_type != "code" and not released.locked:
        source = harmless(source)
    return _new(released, source, cell.get("id"))


def _new(released: ReleasedCell, source: str, cell_id: str | None = None) -> NotebookNode:
    make = new_code_cell if released.cell_type == "code" else new_markdown_cell
    cell = make(source=source, metadata={"nbgrader": released.metadata()})
    if isinstance(cell_id, str):
        cell.id = cell_id
    return cell


def _with_missing(
    layout: list[NotebookNode],
    released: Sequence[ReleasedCell],
    found: Mapping[str, NotebookNode],
    mended: list[str],
) -> list[NotebookNode]:
    """Add each missing released cell after the released one that comes before it."""
    after: NotebookNode | None = None
    for cell in released:
        if cell.grade_id in found:
            after = found[cell.grade_id]
            continue
        mended.append(f"{cell.grade_id} was missing")
        new = _new(cell, cell.source)
        place = 0 if after is None else 1 + next(i for i, c in enumerate(layout) if c is after)
        layout.insert(place, new)
        after = new
    return layout
