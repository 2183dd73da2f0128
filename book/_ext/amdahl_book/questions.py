"""The eight questions of the book: as cards, and as a map of which leads to which.

```{question-cards}
```
```{question-map}
```

Title and question are read from the chapters' own pages, so neither can say anything else than
they do. A chapter whose page says that it is to come is marked so.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
TO_COME = ":class: to-come"
# Column and row of each chapter on the map, and what one chapter gives to another.
PLACES = {1: (0, 0), 2: (0, 1), 3: (0, 2), 6: (1, 2), 4: (0, 3), 7: (1, 3), 5: (0, 4), 8: (1, 4)}
LEADS_TO = ((1, 2), (2, 3), (2, 6), (3, 4), (3, 7), (6, 7), (4, 5), (5, 8), (7, 8))
WIDTH, WIDE, HIGH, GAP = 560, 252, 62, 40


@dataclass(frozen=True)
class Chapter:
    """A chapter as its own page introduces it; `page` is its name without an ending."""

    number: int
    page: str
    title: str
    question: str
    to_come: bool


def read_chapter(page: Path, root: Path) -> Chapter:
    """Read number, title and question from a chapter's page.

    Raises
    ------
    ValueError
        If the page has no title or no question after it.
    """
    text = page.read_text(encoding="utf-8")
    found = re.search(r"^# (.+?)\n\n(?:\{\.question-line\}\n)?(.+?\?)\**\n", text, re.M | re.S)
    if not found:
        raise ValueError(f"{page.name} of {page.parent.name} must open with a title and a question")
    return Chapter(
        number=int(page.parent.name[:2]),
        page=page.relative_to(root).with_suffix("").as_posix(),
        title=found[1],
        question=found[2].strip("*"),
        to_come=TO_COME in text,
    )


def read_chapters(root: Path) -> tuple[Chapter, ...]:
    """Return the chapters of the book in `root`, in their order."""
    return tuple(read_chapter(page, root) for page in sorted(root.glob("chapters/*/index.md")))


def cards(chapters: tuple[Chapter, ...]) -> str:
    """Return a grid with a card for each chapter, as Markdown."""
    lines = ["::::{grid} 1 2 2 2", ":gutter: 3", ":class-container: questions", ""]
    for chapter in chapters:
        state = "is-planned" if chapter.to_come else "is-written"
        lines += [
            f":::{{grid-item-card}} {chapter.title}",
            f":link: /{chapter.page}",
            ":link-type: doc",
            f":class-card: question {state}",
            "",
            chapter.question,
            ":::",
            "",
        ]
    return "\n".join([*lines, "::::"])


def map_svg(chapters: tuple[Chapter, ...], addresses: dict[int, str]) -> str:
    """Return the map as SVG text; each box leads to its chapter's address.

    Parameters
    ----------
    chapters : tuple of Chapter
        The chapters to draw; an arrow to or from one that is not there is left out.
    addresses : dict
        The address of each chapter, by its number.
    """
    drawn = [chapter for chapter in chapters if chapter.number in PLACES]
    numbers = {chapter.number for chapter in drawn}
    corner = {
        n: (column * (WIDTH - WIDE - 4) + 2, row * (HIGH + GAP) + 2)
        for n, (column, row) in PLACES.items()
    }
    parts = [
        _arrow(corner[start], corner[end]) for start, end in LEADS_TO if {start, end} <= numbers
    ]
    for chapter in drawn:
        left, top = corner[chapter.number]
        parts.append(
            f'<a href="{html.escape(addresses[chapter.number])}">'
            f'<rect x="{left}" y="{top}" width="{WIDE}" height="{HIGH}" rx="8"/>'
            f'<text class="map-number" x="{left + 16}" y="{top + 42}">{chapter.number}</text>'
            f'<text x="{left + 44}" y="{top + 38}">{html.escape(chapter.title)}</text></a>'
        )
    height = 5 * HIGH + 4 * GAP + 4
    return (
        f'<svg class="question-map" viewBox="0 0 {WIDTH} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{html.escape(told(drawn))}</title>'
        '<defs><marker id="map-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def told(chapters: list[Chapter]) -> str:
    """Return the map in words: what each chapter stands on."""
    numbers = {chapter.number for chapter in chapters}
    said = []
    for chapter in chapters:
        needs = [str(a) for a, b in LEADS_TO if b == chapter.number and a in numbers]
        if needs:
            said.append(f"chapter {chapter.number} builds on {' and '.join(needs)}")
    return "Map of the chapters: " + ", ".join(said) + "."


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a line between two boxes: down within a column, across where the column differs."""
    (x1, y1), (x2, y2) = start, end
    if x1 == x2:
        middle = x1 + WIDE / 2
        path = f"M{middle} {y1 + HIGH}L{middle} {y2 - 1}"
    elif y1 == y2:
        path = f"M{x1 + WIDE} {y1 + HIGH / 2}L{x2 - 1} {y2 + HIGH / 2}"
    else:
        path = f"M{x1 + WIDE} {y1 + HIGH / 2}L{x2 + 40} {y2 - 1}"
    return f'<path class="map-arrow" d="{path}" marker-end="url(#map-tip)"/>'


class _Questions(SphinxDirective):
    """What the two directives share: the chapters, read and depended on."""

    def chapters(self) -> tuple[Chapter, ...]:
        """Return the chapters, or none and a warning where a page doesn't introduce itself."""
        root = Path(self.env.srcdir)
        for page in root.glob("chapters/*/index.md"):
            self.env.note_dependency(page.relative_to(root).as_posix())
        try:
            found = read_chapters(root)
        except ValueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return ()
        if not found:
            LOGGER.warning("no chapters", location=self.get_location(), type="amdahl_book")
        return found


class CardsDirective(_Questions):
    """A card for each chapter."""

    def run(self) -> list[nodes.Node]:
        """Return the grid of cards."""
        holder = nodes.Element()
        lines = cards(self.chapters()).splitlines()
        self.state.nested_parse(StringList(lines, "questions"), self.content_offset, holder)
        return holder.children


class MapDirective(_Questions):
    """The map, inline, so that the style sheet reaches it and its boxes are links."""

    def run(self) -> list[nodes.Node]:
        """Return the map; its links are written once the builder knows where pages lie."""
        return [question_map("", chapters=self.chapters())]


class question_map(nodes.General, nodes.Element):  # noqa: N801 - a node is named as docutils does
    """Stands for the map until the addresses of pages are known."""


def draw_maps(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the picture in the place of each map."""
    for node in list(doctree.findall(question_map)):
        addresses = {
            chapter.number: app.builder.get_relative_uri(docname, chapter.page)
            for chapter in node["chapters"]
        }
        node.replace_self(nodes.raw("", map_svg(node["chapters"], addresses), format="html"))


def setup(app: Sphinx) -> None:
    """Register the directives and what draws the map."""
    app.add_node(question_map)
    app.add_directive("question-cards", CardsDirective)
    app.add_directive("question-map", MapDirective)
    app.connect("doctree-resolved", draw_maps)
