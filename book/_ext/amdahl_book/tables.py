"""Tables built from nodes, with a header row and given column widths."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes


def row(*cells: nodes.Node) -> nodes.row:
    """Return a row; a cell that is no paragraph is put into one."""
    return nodes.row("", *(nodes.entry("", _block(cell)) for cell in cells))


def _block(cell: nodes.Node) -> nodes.Node:
    return cell if isinstance(cell, nodes.paragraph) else nodes.paragraph("", "", cell)


def table(
    head: Sequence[str], rows: Sequence[nodes.row], *, widths: Sequence[int], classes: Sequence[str]
) -> nodes.table:
    """Return a table with one header row; `widths` are shares of the whole."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    group += nodes.thead("", row(*(nodes.Text(word) for word in head)))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=[*classes, "colwidths-given"])
