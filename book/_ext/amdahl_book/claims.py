"""The claims ledger on the page.

    ```{claims} 1
    ```                    the rows of chapter 1
    ```{claims-summary}
    ```                    how many claims have which verdict, for the whole book
    {claim}`C1.2`          a link to a row of the ledger page

Evidence is a citation key or a label. What does not resolve is a warning, and so an error in the
build of the book.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from .evidence import EVIDENCE, resolve_evidence
from .ledger import VERDICTS, Claim, LedgerError, count_verdicts, read_ledger
from .tables import row, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOGGER = logging.getLogger(__name__)
LEDGER_FILE = "book/claims.yml"
LEDGER_PAGE = "book/ledger"
_MARK = "amdahl_claims"


def ledger_of(env: BuildEnvironment) -> tuple[Claim, ...]:
    """Return the ledger of a book; the page that asks is written again when it changes."""
    env.note_dependency(LEDGER_FILE)
    return read_ledger(Path(env.srcdir) / LEDGER_FILE)


def badge(verdict: str) -> nodes.inline:
    """Return the mark of a verdict: a word, with a shape and a colour added by the style sheet."""
    return nodes.inline("", VERDICTS[verdict], classes=["verdict", f"verdict-{verdict}"])


class ClaimsDirective(SphinxDirective):
    """The claims of one chapter: a table, or a list while none of them is answered."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table, or a warning when the ledger or the chapter is not in order."""
        try:
            claims = [c for c in ledger_of(self.env) if str(c.chapter) == self.arguments[0]]
            self.env.metadata[self.env.docname][_MARK] = "yes"
            if not claims:
                raise LedgerError(f"no claims of chapter {self.arguments[0]!r}")
        except LedgerError as problem:
            LOGGER.warning("ledger: %s", problem, location=self.get_location(), type="amdahl_book")
            return []
        if all(claim.verdict == "to-come" for claim in claims):
            return [self._open_list(claims)]
        return [self._table(claims)]

    def _open_list(self, claims: list[Claim]) -> nodes.bullet_list:
        items = []
        for claim in claims:
            said = nodes.paragraph(
                "", "", self._id(claim), nodes.Text(" "), *self._inline(claim.claim)
            )
            items.append(nodes.list_item("", said, ids=[claim.anchor]))
        return nodes.bullet_list("", *items, classes=["claims-open"])

    def _table(self, claims: list[Claim]) -> nodes.table:
        return table(
            ("The source says", "Verdict", "Answer and evidence"),
            [self._claim_row(claim) for claim in claims],
            widths=(34, 16, 50),
            classes=["claims"],
        )

    def _claim_row(self, claim: Claim) -> nodes.row:
        said = nodes.paragraph("", "", self._id(claim), nodes.Text(" "), *self._inline(claim.claim))
        answer = nodes.paragraph("", "", *self._inline(claim.answer or "Not answered yet."))
        found = row(said, nodes.paragraph("", "", badge(claim.verdict)), answer)
        if claim.evidence:
            found[-1] += nodes.paragraph("", "", *self._evidence(claim), classes=["evidence"])
        found["ids"].append(claim.anchor)
        found["classes"].append(f"row-{claim.verdict}")
        return found

    def _id(self, claim: Claim) -> nodes.Node:
        if self.env.docname == LEDGER_PAGE:
            inside = nodes.reference("", claim.id, internal=True, refid=claim.anchor)
            return nodes.strong("", "", inside, classes=["claim-id"])
        return nodes.strong("", "", ledger_link(claim.id, self.env.docname), classes=["claim-id"])

    def _evidence(self, claim: Claim) -> list[nodes.Node]:
        cited = self.env.get_domain("cite").bibdata.data.entries
        found: list[nodes.Node] = [nodes.inline("", "Evidence: ", classes=["evidence-word"])]
        for number, key in enumerate(claim.evidence):
            if number:
                found.append(nodes.Text("; "))
            if key in cited:
                found.extend(self._inline(f"{{cite:t}}`{key}`"))
                continue
            found.append(
                addnodes.pending_xref(
                    "",
                    nodes.inline("", key),
                    refdomain="",
                    reftype=EVIDENCE,
                    reftarget=key,
                    refdoc=self.env.docname,
                    refwarn=True,
                    claim=claim.id,
                )
            )
        return found

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


class ClaimsSummaryDirective(SphinxDirective):
    """How many claims have which verdict, as one bar and in words."""

    def run(self) -> list[nodes.Node]:
        """Return the bar."""
        counts = count_verdicts(ledger_of(self.env))
        items = []
        for verdict, count in counts.items():
            item = nodes.list_item(
                "",
                nodes.paragraph(
                    "", "", nodes.strong("", str(count)), nodes.Text(" "), badge(verdict)
                ),
            )
            item["classes"].append(f"share-{verdict}")
            items.append(item)
        bar = nodes.raw("", _bar(counts), format="html")
        return [bar, nodes.bullet_list("", *items, classes=["verdict-counts"])]


def _bar(counts: dict[str, int]) -> str:
    parts = "".join(
        f'<span class="bar-{verdict}" style="flex-grow:{count}"></span>'
        for verdict, count in counts.items()
        if count
    )
    return f'<div class="verdict-bar" aria-hidden="true">{parts}</div>'


def ledger_link(claim_id: str, docname: str) -> addnodes.pending_xref:
    """Return a link to a row of the ledger page."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", claim_id),
        refdomain="",
        reftype="amdahl-claim",
        reftarget=claim_id,
        refdoc=docname,
        refwarn=True,
    )


class ClaimRole(SphinxRole):
    """A link to a row of the ledger page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link; whether the row exists is checked when links are resolved."""
        return [ledger_link(self.text, self.env.docname)], []


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Resolve links to claims and to evidence; None leads to Sphinx's own warning."""
    target, kind = node.get("reftarget"), node.get("reftype")
    if kind == "amdahl-claim":
        known = {claim.id: claim for claim in read_ledger(Path(env.srcdir) / LEDGER_FILE)}
        if target not in known:
            return None
        return make_refnode(app.builder, node["refdoc"], LEDGER_PAGE, known[target].anchor, content)
    if kind == EVIDENCE:
        return resolve_evidence(env, node)
    return None


def pages_with_evidence(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to write again: evidence may have gone from a page that they link to."""
    return [docname for docname, metadata in env.metadata.items() if _MARK in metadata]


def setup(app: Sphinx) -> None:
    """Register the directives, the role and the resolver."""
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("claims-summary", ClaimsSummaryDirective)
    app.add_role("claim", ClaimRole())
    app.connect("missing-reference", resolve)
    app.connect("env-updated", pages_with_evidence)
