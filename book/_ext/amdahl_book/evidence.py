"""From the label of a figure, an equation, a section or a cell to a link that says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment

EVIDENCE = "amdahl-evidence"
_NUMBERED = ("figure", "table", "code-block")


def resolve_evidence(env: BuildEnvironment, node: addnodes.pending_xref) -> nodes.Element | None:
    """Return the link, or None when no page has the label."""
    label = node["reftarget"]
    standard, math = env.get_domain("std"), env.get_domain("math")
    if label in math.equations:
        link = _resolved(env, node, "math", "eq")
        return nodes.inline("", "", nodes.Text("equation "), link) if link else None
    if label not in standard.anonlabels:
        return None
    docname, anchor = standard.anonlabels[label]
    if any(anchor in env.toc_fignumbers.get(docname, {}).get(kind, {}) for kind in _NUMBERED):
        return _resolved(env, node, "std", "numref")
    if label in standard.labels:
        return _resolved(env, node, "std", "ref")
    words = f"{env.titles[docname].astext()}, {label}"
    return make_refnode(env.app.builder, node["refdoc"], docname, anchor, nodes.inline("", words))


def _resolved(
    env: BuildEnvironment, node: addnodes.pending_xref, domain: str, kind: str
) -> nodes.Element | None:
    label, refdoc = node["reftarget"], node["refdoc"]
    asked = addnodes.pending_xref(
        "",
        nodes.inline("", label),
        refdomain=domain,
        reftype=kind,
        reftarget=label,
        refdoc=refdoc,
        refexplicit=False,
        refwarn=True,
    )
    return env.get_domain(domain).resolve_xref(
        env, refdoc, env.app.builder, kind, label, asked, nodes.inline("", label)
    )
