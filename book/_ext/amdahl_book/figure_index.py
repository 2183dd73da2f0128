"""Every figure of the book with its number, its caption and its page.

```{figure-index}
```

Written again in each build, since a figure may have changed on any page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .tables import row, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_MARK = "amdahl_figure_index"


class figure_index(nodes.General, nodes.Element):  # noqa: N801 - a node is named as docutils does
    """Stands for the index until the numbers of figures are known."""


class FigureIndexDirective(SphinxDirective):
    """The place of the index."""

    def run(self) -> list[nodes.Node]:
        """Return what the index is put in the place of."""
        self.env.metadata[self.env.docname][_MARK] = "yes"
        # Captions hold formulas, which this page's own source doesn't.
        self.env.get_domain("math").data["has_equations"][self.env.docname] = True
        return [figure_index()]


def pages_in_order(env: BuildEnvironment, docname: str | None = None) -> Iterator[str]:
    """Yield the pages of the book in the order in which they are read."""
    docname = docname or env.config.root_doc
    yield docname
    for inside in env.toctree_includes.get(docname, ()):
        yield from pages_in_order(env, inside)


def figures_of(env: BuildEnvironment) -> Iterator[tuple[str, nodes.figure, tuple[int, ...]]]:
    """Yield (page, figure, number) of each numbered figure of the book."""
    for docname in pages_in_order(env):
        numbers: dict[str, Any] = env.toc_fignumbers.get(docname, {}).get("figure", {})
        for figure in env.get_doctree(docname).findall(nodes.figure):
            number = next((numbers[name] for name in figure["ids"] if name in numbers), None)
            if number:
                yield docname, figure, number


class PlaceIndex(SphinxPostTransform):
    """Puts the table in its place before links are resolved, so that those in captions are."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Replace each placeholder of the page."""
        for node in list(self.document.findall(figure_index)):
            rows = [self._row(*found) for found in figures_of(self.env)]
            # Captions hold formulas, though none was in this page when it was read.
            self.env.get_domain("math").data["has_equations"][self.env.docname] = True
            node.replace_self(
                table(
                    ("Figure", "What it shows", "Page"),
                    rows,
                    widths=(12, 62, 26),
                    classes=["figure-index"],
                )
            )

    def _row(self, docname: str, figure: nodes.figure, number: tuple[int, ...]) -> nodes.row:
        label = self.config.numfig_format["figure"] % ".".join(map(str, number))
        title = self.env.titles[docname].astext()
        return row(
            nodes.paragraph("", "", self._link(docname, figure["ids"][0], label)),
            nodes.paragraph("", "", *self._caption(figure)),
            nodes.paragraph("", "", self._link(docname, "", title)),
        )

    def _link(self, docname: str, anchor: str, text: str) -> nodes.reference:
        here = self.env.docname
        address = self.app.builder.get_relative_uri(here, docname) if docname != here else ""
        target = f"{address}#{anchor}" if anchor else address
        return nodes.reference("", text, internal=True, refuri=target)

    def _caption(self, figure: nodes.figure) -> list[nodes.Node]:
        caption = next(figure.findall(nodes.caption)).deepcopy()
        for link in list(caption.findall(addnodes.pending_xref)):
            if link.get("refdomain") == "cite":
                link.parent.remove(link)  # the list of works links to where it is cited
            else:
                link["refdoc"] = self.env.docname
        for named in caption.findall(nodes.Element):
            named["ids"] = []
        return caption.children


def pages_with_the_index(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to write again."""
    return [docname for docname, metadata in env.metadata.items() if _MARK in metadata]


def setup(app: Sphinx) -> None:
    """Register the directive and what puts the table in its place."""
    app.add_node(figure_index)
    app.add_directive("figure-index", FigureIndexDirective)
    app.add_post_transform(PlaceIndex)
    app.connect("env-updated", pages_with_the_index)
