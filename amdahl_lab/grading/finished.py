"""Marks that are done, kept by all that they depend on, so that nothing is marked twice.

A mark depends on the cells that were run, on what was asked of them and on the teacher's seed.
The key of a record is a hash of these; when one of them changes, the key does, and the notebook
is marked again.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import nbformat
from nbformat import NotebookNode

import amdahl_lab
from amdahl_lab.grading.items import Verdict
from amdahl_lab.grading.limits import Limits

FOLDER = "finished"
_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """Marks of one notebook, and what its cells showed.

    Parameters
    ----------
    key : str
        Hash of all that the marks depend on.
    points : dict of str to float
        By item.
    hints : dict of str to str
        By item, where points are missing.
    outputs : list of list of dict
        For each code cell in order.
    seconds : float
        Wall time that marking took.
    marked : str
        When, in UTC.
    booked : str
        State of the gradebook's entry when the feedback page was made; empty before that.
    """

    key: str
    points: dict[str, float]
    hints: dict[str, str]
    outputs: list[list[dict[str, Any]]] = field(repr=False)
    seconds: float
    marked: str
    booked: str = ""

    @classmethod
    def of(
        cls,
        key: str,
        notebook: NotebookNode,
        verdicts: Iterable[Verdict],
        seconds: float,
        marked: str,
    ) -> Self:
        """Record of a notebook that was just marked."""
        verdicts = list(verdicts)
        return cls(
            key,
            {verdict.item.id: verdict.points for verdict in verdicts},
            {verdict.item.id: verdict.hint for verdict in verdicts if verdict.hint},
            json.loads(json.dumps([cell.outputs for cell in _code_cells(notebook)])),
            seconds,
            marked,
        )

    def show_in(self, notebook: NotebookNode) -> None:
        """Put the outputs into a notebook that has the same cells."""
        for cell, outputs in zip(_code_cells(notebook), self.outputs, strict=True):
            cell.outputs = [nbformat.from_dict(output) for output in outputs]
            cell.execution_count = None


def path_of(root: Path, assignment: str, student: str) -> Path:
    """File of one student's record, below the folder of a gradebook."""
    return root / FOLDER / assignment / f"{student}.json"


def load(path: Path) -> Record | None:
    """Record in a file; None if there is none that this version can read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Record(**content["record"]) if content["format"] == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(path: Path, record: Record) -> None:
    """Write a record so that an interrupt leaves the old file or the new one, and no half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps({"format": _FORMAT, "record": asdict(record)}), encoding="utf-8")
    os.replace(new, path)


def basis(solution: Path, seed: int, limits: Limits, without_sandbox: bool) -> str:
    """Hash of all that the marks of a class depend on, apart from the notebooks.

    Parameters
    ----------
    solution : Path
        Folder of the assignment's solution, hidden checks included.
    seed : int
        The teacher's seed.
    limits : Limits
        What one notebook may use.
    without_sandbox : bool
        Whether notebooks run unprotected.

    Returns
    -------
    str
    """
    parts = [_FORMAT, seed, repr(limits), without_sandbox]
    package = Path(amdahl_lab.__file__).parent
    sources = [*package.rglob("*.py"), *solution.rglob("*.py"), *solution.glob("*.ipynb")]
    for path in sorted(sources):
        parts += [path.name, hashlib.sha256(path.read_bytes()).hexdigest()]
    return _hash(parts)


def key_of(notebook: NotebookNode, others: Path, basis_of_class: str) -> str:
    """Key of a notebook that has its released shape.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs do not count.
    others : Path
        Folder of the submission: files beside the notebook count too.
    basis_of_class : str
        From `basis`.

    Returns
    -------
    str
    """
    cells = [
        [cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source]
        for cell in _code_cells(notebook)
    ]
    beside = [
        [path.relative_to(others).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in sorted(others.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb"
    ]
    return _hash([basis_of_class, cells, beside])


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _hash(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
