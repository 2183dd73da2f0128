"""Who handed in a file, as the names in a learning-management system's export say it.

Moodle     ``Full Name_12345_assignsubmission_file_/notebook.ipynb``, or the same without a folder
Canvas     ``namefirst_1234_5678_notebook-1.ipynb``, with ``_LATE`` after the name if it was late
Blackboard ``Exercises 1_username_attempt_2026-11-20-10-11-12_notebook.ipynb``
elsewhere  ``Name.ipynb``, or ``Name/notebook.ipynb``
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from os.path import commonprefix

MOODLE, CANVAS, BLACKBOARD, PLAIN = "Moodle", "Canvas", "Blackboard", ""
_LONGEST = 60  # characters of a folder's name: four bytes each stay below 255

_MOODLE = re.compile(r"(?P<name>.*)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_")
_CANVAS = re.compile(
    r"(?:(?P<name>[^_]+)_)?(?P<late>LATE_)?(?P<id>\d+|anon_\w+?)_(?P<order>\d+)_(?P<file>.+)"
)
_BLACKBOARD = re.compile(
    r"(?:.*_)?(?P<id>[^_]+)_attempt_(?P<order>\d{4}(?:-\d{2}){5})(?:_(?P<file>.+)|\.\w+)"
)


@dataclass(frozen=True)
class Sender:
    """Who handed in a file.

    Parameters
    ----------
    name : str
        As it is written in the export.
    system : str
        ``"Moodle"``, ``"Canvas"``, ``"Blackboard"``, or empty where it is none of these.
    identifier : str
        What that system knows the student by; empty where there is no such system.
    late : bool
        Whether the export says that it came late.
    order : str
        Grows with every new attempt of the same student.
    """

    name: str
    system: str = PLAIN
    identifier: str = ""
    late: bool = False
    order: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The same for all files of one student, and for no file of another."""
        return (self.system, self.identifier or self.name)

    @property
    def folder(self) -> str:
        """Name for a folder, safe everywhere; two senders can have the same."""
        parts = [self.name] if self.identifier in self.name else [self.name, self.identifier]
        safe = [re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", part)) for part in parts]
        text = "_".join(part.strip("._-") for part in safe)
        return text[-_LONGEST:].strip("._-") or "student"  # the end holds the identifier


def sender(path: str) -> Sender:
    """Read who handed in a file from its path inside the export.

    Parameters
    ----------
    path : str
        Relative, with ``/`` between folders.

    Returns
    -------
    Sender

    Examples
    --------
    >>> sender("Ann Bell_12345_assignsubmission_file_/week 1.ipynb").identifier
    '12345'
    >>> sender("bellann_LATE_77_9001_week 1-2.ipynb")
    Sender(name='bellann', system='Canvas', identifier='77', late=True, order='000000009001')
    >>> sender("Week 1_abell2_attempt_2026-11-20-10-11-12_week 1.ipynb").identifier
    'abell2'
    >>> sender("Ann Bell/week 1.ipynb").name
    'Ann Bell'
    """
    first, _, rest = unicodedata.normalize("NFC", path).partition("/")
    found = _MOODLE.match(first)
    if found:
        return Sender(found["name"], MOODLE, found["id"])
    found = None if rest else _BLACKBOARD.fullmatch(first)
    if found:
        return Sender(found["id"], BLACKBOARD, found["id"], order=found["order"])
    found = None if rest else _CANVAS.fullmatch(first)
    if found:
        name, late = found["name"] or found["id"], found["late"] is not None
        if name == "LATE":
            name, late = found["id"], True
        return Sender(name, CANVAS, found["id"], late, found["order"].zfill(12))
    return _plain(path)


def senders(paths: Iterable[str]) -> dict[str, Sender]:
    """Who handed in each file of one export.

    Names such as ``week_1_2_ann.ipynb`` look like Canvas's by accident, so they count only where
    all files have them and none shares its number with another. Blackboard's user names can hold
    the sign that divides a name, so what all files begin with is taken for the assignment.
    """
    found = {path: sender(path) for path in paths}
    numbers = [one.order for one in found.values() if one.system == CANVAS]
    if numbers and (len(numbers) < len(found) or len(set(numbers)) < len(numbers)):
        found = {path: _plain(path) if one.system == CANVAS else one for path, one in found.items()}
    attempts = [path for path, one in found.items() if one.system == BLACKBOARD]
    heads = {path.rpartition("_attempt_")[0] for path in attempts}
    if len(heads) > 1:
        start = commonprefix(sorted(heads))  # noqa: RUF071  (these are no paths)
        for path in attempts:
            name = path.rpartition("_attempt_")[0][start.rfind("_") + 1 :]
            found[path] = replace(found[path], name=name, identifier=name)
    return found


def _plain(path: str) -> Sender:
    first, _, rest = unicodedata.normalize("NFC", path).partition("/")
    return Sender(first if rest else first.rpartition(".")[0] or first)


def feedback_name(path: str, system: str) -> str | None:
    """Name of a feedback page in a zip that the same system takes back; None if none does.

    Moodle wants the folder that it gave out, Canvas the beginning of the file's name.

    Examples
    --------
    >>> feedback_name("Ann Bell_12345_assignsubmission_file_/week 1.ipynb", "Moodle")
    'Ann Bell_12345_assignsubmission_file_/feedback.html'
    >>> feedback_name("bellann_77_9001_week 1.ipynb", "Canvas")
    'bellann_77_9001_week 1.html'
    """
    first = path.partition("/")[0]
    if system == MOODLE:
        return f"{_MOODLE.match(first)[0]}/feedback.html"
    return f"{first.rpartition('.')[0] or first}.html" if system == CANVAS else None
