"""Answers that students write, by chapter: right ones of other styles, and common mistakes.

The solution and the empty stub are taken from the notebooks themselves. A chapter NN has its
groups in the module ``chNN``, as ``GROUPS``.
"""

from importlib import import_module
from pathlib import Path

from corpus.answers import Answer, Group

SOLUTIONS = Path(__file__).parents[3] / "solutions"
CHAPTERS = sorted(path.parent.name for path in SOLUTIONS.glob("*/exercises.ipynb"))


def groups(chapter: str) -> list[Group]:
    """Return the groups of answers of a chapter such as ``01_amdahls_law``."""
    return import_module(f"corpus.ch{chapter[:2]}").GROUPS


def answers(chapter: str, *, measured: bool = True) -> list[Answer]:
    """Return the answers of a chapter; without `measured`, only those that report no run."""
    taken = [group for group in groups(chapter) if measured or not group.measured]
    return [answer for group in taken for answer in group.answers]
