"""What a corpus is made of: answers with the points and the hint that each must get."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One answer to the cell that is checked by `cell`.

    `loses` names each item without points and a part of its hint; all others get all points.
    """

    cell: str
    name: str
    code: str
    loses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Answers that are marked one after the other in one kernel.

    Parameters
    ----------
    name : str
        What to call the group in the name of its test.
    answers : sequence of Answer
        The answers. Each defines its functions anew, as a student does who runs a cell again.
    setup : str
        Code that is run first.
    cells : tuple of str
        Cells of the solution that are run before it, in the notebook's order.
    measured : pair of str, optional
        A cell of the notebook and what is run in its place: its times are those of that cell.
    every_seed : bool
        The answers are quick and harmless: they are also marked with many seeds, in this process.
    """

    name: str
    answers: Sequence[Answer]
    setup: str = ""
    cells: tuple[str, ...] = ()
    measured: tuple[str, str] | None = None
    every_seed: bool = False
