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
    """Give a page that has no description the first paragraph of its text as one."""
    context["docstitle"] = app.config.html_title
    if doctree is None or 'name="description"' in context.get("metatags", ""):
        return
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and len(paragraph.astext()) > 40:
            words = escape(shortened(paragraph.astext()))
            context["metatags"] = (
                context.get("metatags", "") + f'\n<meta name="description" content="{words}">'
            )
            return


def open_front_door(app: Sphinx, exception: Exception | None) -> None:
    """Write the index of the site, which leads to the first page of the book."""
    if exception is None and app.builder.format == "html":
        page = FRONT_DOOR.format(
            title=escape(app.config.html_title),
            target=f"{app.config.root_doc}.html",
            description="A course in which every speedup is measured and every model is fitted.",
        )
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect both steps."""
    app.connect("html-page-context", describe)
    app.connect("build-finished", open_front_door)
