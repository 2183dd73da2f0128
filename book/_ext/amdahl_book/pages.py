"""What every page has: a description, a language, a menu whose arrows have names, a front door."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LONGEST = 200

# A link, its text, and the arrow after it.
ARROW = re.compile(r"(<a [^>]*>)([^<]*)</a><details([^>]*)><summary>")

FRONT_DOOR = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{description}">
<meta http-equiv="refresh" content="0; url={target}">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main></body>
</html>
"""


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return `text` on one line, cut at a word when longer than `longest` characters.

    Examples
    --------
    >>> shortened("one  two three", 9)
    'one two…'
    """
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + "…"


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Describe a page by its front matter, or else by the first paragraph of its text."""
    context["docstitle"] = app.config.html_title
    # A screen reader needs to be told where the language changes; MyST has no way to say it.
    # The role of an entry in a bibliography was withdrawn; in a list it is an item.
    context["body"] = (
        context.get("body", "")
        .replace('class="zh"', 'class="zh" lang="zh"')
        .replace('role="doc-biblioentry"', 'role="listitem"')
    )
    if doctree is None or 'name="description"' in context.get("metatags", ""):
        return
    words = escape(shortened(_description(app, pagename, doctree)))
    if words:
        context["metatags"] = (
            context.get("metatags", "") + f'\n<meta name="description" content="{words}">'
        )


def name_arrows(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Name the arrow that unfolds a chapter in the menu after the chapter; the theme does not."""
    made = context.get("generate_toctree_html")
    if made is None:
        return

    def named(kind: str, *positional: Any, **options: Any) -> Any:
        menu = made(kind, *positional, **options)
        if kind != "sidebar":
            return menu
        return ARROW.sub(r'\1\2</a><details\3><summary aria-label="Pages of \2">', str(menu))

    context["generate_toctree_html"] = named


def _description(app: Sphinx, pagename: str, doctree: nodes.document) -> str:
    given = app.env.metadata.get(pagename, {}).get("description")
    if given:
        return str(given)
    return next(
        (
            paragraph.astext()
            for paragraph in doctree.findall(nodes.paragraph)
            if isinstance(paragraph.parent, nodes.section) and len(paragraph.astext()) > 40
        ),
        "",
    )


def open_front_door(app: Sphinx, exception: Exception | None) -> None:
    """Write the index of the site, which leads to the first page of the book.

    A build with warnings leaves no index and no environment: Sphinx warns only of pages that it
    reads again, so the next build would pass over what this one found.
    """
    index = Path(app.outdir) / "index.html"
    if exception or (app._warncount and (app.keep_going or app.warningiserror)):
        index.unlink(missing_ok=True)
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)
        return
    page = FRONT_DOOR.format(
        title=escape(app.config.html_title),
        target=f"{app.config.root_doc}.html",
        description="A course in which every speedup is measured and every model is fitted.",
    )
    index.write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect the steps; the arrows come after the theme has made the menu."""
    app.connect("html-page-context", describe)
    app.connect("html-page-context", name_arrows, priority=900)
    app.connect("build-finished", open_front_door)
