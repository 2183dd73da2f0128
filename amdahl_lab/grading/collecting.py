"""Finds what each student of a class handed in: in a folder, or in the zip of an export."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amdahl_lab.grading.archives import unpack
from amdahl_lab.grading.export_names import Sender, senders
from amdahl_lab.grading.notebooks import belongs_to, cell_ids, read_notebook

_NOTEBOOK, _ZIP = ".ipynb", ".zip"
_MARKED = (_NOTEBOOK, _ZIP)


@dataclass(frozen=True)
class Candidate:
    """One notebook that a student handed in."""

    path: Path
    name: str
    chapter: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Parameters
    ----------
    student : str
        Name that is safe for a folder, unique in the class.
    sender : Sender
        Who it is for the system that the export came from.
    export_path : str
        Path of one of the student's files in the export.
    candidates : tuple of Candidate
        The notebooks, the latest first.
    problem : str
        Why there is none, if there is none.
    """

    student: str
    sender: Sender
    export_path: str
    candidates: tuple[Candidate, ...] = ()
    problem: str = ""

    def choose(self, chapter: str) -> tuple[Path | None, str]:
        """The notebook to mark and a remark, or None and the reason."""
        fitting = [one for one in self.candidates if one.chapter == chapter]
        if fitting:
            more = f"{len(fitting)} notebooks, marked {fitting[0].name}" if fitting[1:] else ""
            return fitting[0].path, more
        if not self.candidates:
            return None, self.problem or "no notebook"
        first = self.candidates[0]
        if first.problem:
            return None, first.problem
        if first.chapter is not None:
            return None, f"a notebook of another chapter: {first.chapter}"
        return None, "not a notebook of this course: none of its cells is there"


@dataclass
class _Pile:
    """The files of one student while they are being found."""

    sender: Sender
    paths: list[str] = field(default_factory=list)
    notebooks: list[tuple[str, str, Path]] = field(default_factory=list)
    problem: str = ""


def collect(
    submissions: Path, scratch: Path, chapters: Mapping[str, frozenset[str]]
) -> list[Submission]:
    """Find the submission of each student.

    Parameters
    ----------
    submissions : Path
        A zip, or a folder of notebooks, of folders, or of both. Nothing in it is changed.
    scratch : Path
        A folder for what is unpacked; it must last as long as the notebooks are needed.
    chapters : mapping of str to frozenset of str
        For each chapter the ids of its cells.

    Returns
    -------
    list of Submission
        In the order of the students' names.

    Raises
    ------
    ValueError
        If there is no such folder or zip, or nothing in it was handed in.
    """
    root, names, trouble = _files(submissions, scratch)
    piles: dict[tuple[str, str], _Pile] = {}
    of_files = senders(name for name in [*names, *trouble] if _counts(name))
    for name, sender in sorted(of_files.items(), key=lambda pair: (pair[1].order, pair[0])):
        pile = piles.setdefault(sender.key, _Pile(sender))
        pile.sender = sender  # the latest attempt's, so its being late counts
        pile.paths.append(name)
        if name in trouble:
            pile.problem = trouble[name]
        elif name.lower().endswith(_NOTEBOOK):
            pile.notebooks.append((sender.order, name, root / name))
        elif name.lower().endswith(_ZIP):
            _open_inner_zip(pile, sender.order, root / name, scratch / f"zip-{len(piles)}")
    if not piles:
        raise ValueError(f"submissions must hold notebooks, got {submissions}")
    return _named(piles.values(), chapters)


def _files(submissions: Path, scratch: Path) -> tuple[Path, list[str], dict[str, str]]:
    """Folder that holds the files, their names in it, and names with a reason to leave them."""
    if submissions.is_dir():
        return submissions, sorted(_walk(submissions)), {}
    if not submissions.is_file():
        raise ValueError(f"submissions must be a folder or a zip, got {submissions}")
    root = scratch / "export"
    root.mkdir()
    found = unpack(submissions, root, _MARKED)
    names, trouble = [*found.written, *found.others], found.left_out
    top = _only_top(names)
    if top is not None:
        names = [name.removeprefix(f"{top}/") for name in names]
        trouble = {name.removeprefix(f"{top}/"): why for name, why in trouble.items()}
        root = root / top
    return root, names, trouble


def _only_top(names: list[str]) -> str | None:
    """The one folder around a whole class, as it is there where a folder was zipped by hand."""
    tops = {name.partition("/")[0] for name in names}
    inner = {name.split("/")[1] for name in names if "/" in name and name.endswith(_MARKED)}
    if len(tops) != 1 or len(inner) < 2 or any("/" not in name for name in names):
        return None
    (top,) = tops
    return None if "_assignsubmission_" in top else top


def _walk(folder: Path) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".ipynb_checkpoints", "__MACOSX")]
        for name in files:
            path = Path(where, name)
            if not path.is_symlink() and not name.startswith("."):
                yield path.relative_to(folder).as_posix()


def _counts(name: str) -> bool:
    """Whether a file says that a student handed something in.

    A loose file of another kind in a folder that someone made by hand does not.
    """
    if name.lower().endswith(_MARKED) or "/" in name:
        return True
    return "_assignsubmission_" in name or "_attempt_" in name or name.count("_") >= 3


def _open_inner_zip(pile: _Pile, order: str, path: Path, folder: Path) -> None:
    """Students zip what they hand in although nobody asked them to."""
    while folder.exists():
        folder = folder.with_name(folder.name + "i")
    try:
        found = unpack(path, folder, (_NOTEBOOK,))
    except ValueError as error:
        pile.problem = str(error)
        return
    pile.notebooks += [(order, f"{path.name}/{name}", folder / name) for name in found.written]


def _named(piles: Iterable[_Pile], chapters: Mapping[str, frozenset[str]]) -> list[Submission]:
    submissions: list[Submission] = []
    taken: set[str] = set()
    for pile in sorted(piles, key=lambda one: (one.sender.name, one.sender.identifier)):
        student, number = pile.sender.folder, 1
        while student.casefold() in taken:  # not every disk tells A from a
            number += 1
            student = f"{pile.sender.folder}-{number}"
        taken.add(student.casefold())
        latest_first = sorted(pile.notebooks, reverse=True)
        candidates = tuple(_candidate(path, name, chapters) for _, name, path in latest_first)
        path = unicodedata.normalize("NFC", pile.paths[-1])
        submissions.append(Submission(student, pile.sender, path, candidates, pile.problem))
    return submissions


def _candidate(path: Path, name: str, chapters: Mapping[str, frozenset[str]]) -> Candidate:
    try:
        return Candidate(path, name, belongs_to(cell_ids(read_notebook(path)), chapters))
    except ValueError as problem:
        return Candidate(path, name, problem=str(problem))
    except OSError as problem:
        return Candidate(path, name, problem=f"cannot be read ({problem.strerror})")
