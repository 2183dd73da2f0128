"""How the source fared, worked out from the ledger when a page is built.

```{claims-by-chapter}
```                    a figure and a table: claims of each chapter by verdict
```{claims-argued} wrong
```                    every claim with that verdict, and the argument for it
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .claims import badge, ledger_link, ledger_of
from .ledger import VERDICTS, Claim, LedgerError, count_verdicts
from .tables import row, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
Counts = dict[int, dict[str, int]]


def counts_by_chapter(claims: Sequence[Claim]) -> Counts:
    """Return the number of claims of each chapter with each verdict."""
    chapters = sorted({claim.chapter for claim in claims})
    return {n: count_verdicts(c for c in claims if c.chapter == n) for n in chapters}


class ByChapterDirective(SphinxDirective):
    """Claims of each chapter by verdict: bars, and the same as a table."""

    def run(self) -> list[nodes.Node]:
        """Return the figure and the table; a verdict that nothing has is left out."""
        try:
            claims = ledger_of(self.env)
        except LedgerError as problem:
            LOGGER.warning("ledger: %s", problem, location=self.get_location(), type="amdahl_book")
            return []
        counts = counts_by_chapter(claims)
        shown = [verdict for verdict, count in count_verdicts(claims).items() if count]
        rows = [
            row(self._chapter(n), *(_number(each[v]) for v in shown), _number(sum(each.values())))
            for n, each in counts.items()
        ]
        sums = [sum(each[verdict] for each in counts.values()) for verdict in shown]
        whole = [nodes.strong("", str(count)) for count in (*sums, sum(sums))]
        rows.append(row(nodes.strong("", "All"), *whole))
        heads = ("Chapter", *(VERDICTS[verdict] for verdict in shown), "All")
        widths = (40, *(60 // (len(shown) + 1) for _ in heads[1:]))
        numbers = table(heads, rows, widths=widths, classes=["verdict-table"])
        return [nodes.raw("", chart(counts), format="html"), numbers]

    def _chapter(self, number: int) -> nodes.Node:
        """Link to the chapter, by its title; its number where it has no page."""
        found = sorted(Path(self.env.srcdir).glob(f"chapters/{number:02}_*/index.md"))
        if not found:
            return nodes.Text(str(number))
        target = found[0].relative_to(self.env.srcdir).with_suffix("").as_posix()
        return addnodes.pending_xref(
            "",
            nodes.inline("", ""),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{target}",
            refexplicit=False,
            refdoc=self.env.docname,
            refwarn=True,
        )


class ArguedDirective(SphinxDirective):
    """The claims with one verdict, each with the argument for it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a list; a warning for a verdict that there is not."""
        (verdict,) = self.arguments
        try:
            if verdict not in VERDICTS:
                raise LedgerError(f"verdict must be one of {list(VERDICTS)}, got {verdict!r}")
            claims = [claim for claim in ledger_of(self.env) if claim.verdict == verdict]
        except LedgerError as problem:
            LOGGER.warning("ledger: %s", problem, location=self.get_location(), type="amdahl_book")
            return []
        if not claims:
            return [nodes.paragraph("", "None.")]
        items = [nodes.list_item("", self._said(one), self._answer(one)) for one in claims]
        return [nodes.bullet_list("", *items, classes=["claims-argued"])]

    def _said(self, claim: Claim) -> nodes.paragraph:
        name = nodes.strong("", "", ledger_link(claim.id, self.env.docname), classes=["claim-id"])
        said = nodes.emphasis("", "", *self._inline(claim.claim))
        return nodes.paragraph("", "", name, nodes.Text(" "), said)

    def _answer(self, claim: Claim) -> nodes.paragraph:
        mark = badge(claim.verdict)
        return nodes.paragraph("", "", mark, nodes.Text(" "), *self._inline(claim.answer))

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


def _number(count: int) -> nodes.Text:
    return nodes.Text(str(count) if count else "·")


def chart(counts: Counts) -> str:
    """Return a bar for each chapter, as long as it has claims, cut by verdict."""
    most = max(sum(each.values()) for each in counts.values())
    bars = "".join(_bar(number, each, most) for number, each in counts.items())
    return (
        f'<div class="verdict-chart" role="img" aria-label="{in_words(counts)}">'
        f'<div aria-hidden="true">{bars}</div></div>'
    )


def _bar(number: int, counts: dict[str, int], most: int) -> str:
    parts = "".join(
        f'<span class="bar-{verdict}" style="flex-grow:{count}">{count}</span>'
        for verdict, count in counts.items()
        if count
    )
    share = 100 * sum(counts.values()) / most
    return (
        f'<div class="chart-row"><span class="chart-label">{number}</span>'
        f'<div class="chart-room"><div class="verdict-bar" style="width:{share:.1f}%">{parts}'
        "</div></div></div>"
    )


def in_words(counts: Counts) -> str:
    """Return what the bars show, for who can't see them."""
    told = [
        f"chapter {number}: "
        + ", ".join(f"{count} {VERDICTS[v].lower()}" for v, count in each.items() if count)
        for number, each in counts.items()
    ]
    return "Bars of claims by chapter, cut by verdict. " + "; ".join(told) + "."


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("claims-by-chapter", ByChapterDirective)
    app.add_directive("claims-argued", ArguedDirective)
