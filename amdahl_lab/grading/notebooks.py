"""Reads notebooks that strangers wrote, and says to which chapter they belong."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

LARGEST_BYTES = 20 * 2**20


def read_notebook(path: Path) -> NotebookNode:
    """Read a submitted notebook, of any version that nbformat knows.

    Raises
    ------
    ValueError
        If it is no notebook; the message is a few words for the table of marks.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES // 2**20} MB ({size // 2**20} MB)")
    if size == 0:
        raise ValueError("an empty file")
    try:
        book = nbformat.reads(path.read_bytes().decode("utf-8-sig"), as_version=4)
        well_formed = all(isinstance(cell.source, str) and cell.cell_type for cell in book.cells)
    except UnicodeDecodeError:
        raise ValueError("not a notebook: it is not text in UTF-8") from None
    except nbformat.reader.NotJSONError:
        raise ValueError("not a notebook: it is not JSON") from None
    except Exception as error:  # nbformat meets what nobody thought of
        raise ValueError(f"not a notebook ({type(error).__name__})") from None
    if not well_formed:
        raise ValueError("not a notebook: its cells are broken")
    return book


def cell_ids(notebook: NotebookNode) -> frozenset[str]:
    """Ids that nbgrader gave to the cells of a notebook."""
    return frozenset(name for cell in notebook.cells if (name := _grade_id(cell.metadata)))


def _grade_id(metadata: Any) -> str:
    entry = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = entry.get("grade_id") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else ""


def belongs_to(cells: frozenset[str], chapters: Mapping[str, frozenset[str]]) -> str | None:
    """Chapter with which a notebook shares the most cells; None if it shares none."""
    shared = {name: len(cells & known) for name, known in chapters.items()}
    best = max(shared, key=shared.__getitem__, default=None)
    return best if best is not None and shared[best] > 0 else None


def most_common_chapter(chapters: Iterable[str | None]) -> str | None:
    """Chapter of most notebooks of a class; None if there is none, or two have as many."""
    counted = Counter(name for name in chapters if name is not None).most_common(2)
    if not counted or (len(counted) == 2 and counted[0][1] == counted[1][1]):
        return None
    return counted[0][0]
