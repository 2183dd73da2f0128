"""What every page has: a description, a language, and a front door at the root of the site."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LONGEST = 200

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
    context["body"] = context.get("body", "").replace('class="zh"', 'class="zh" lang="zh"')
    if doctree is None or 'name="description"' in context.get("metatags", ""):
        return
    words = escape(shortened(_description(app, pagename, doctree)))
    if words:
        context["metatags"] = (
            context.get("metatags", "") + f'\n<meta name="description" content="{words}">'
        )


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
    """Connect both steps."""
    app.connect("html-page-context", describe)
    app.connect("build-finished", open_front_door)
