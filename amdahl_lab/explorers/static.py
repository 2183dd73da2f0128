"""Explorers as text: the ES module of each, its script for the site, the HTML that a page holds.

Nothing here needs anywidget, so the site builds where only the book's packages are installed.
"""

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

_SHARED = ("toolkit", "laws")
_HOST = "host"
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@cache
def _texts() -> dict[str, str]:
    return {
        entry.name.removesuffix(".js"): entry.read_text(encoding="utf-8")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".js")
    }


def names() -> tuple[str, ...]:
    """Return the names of the explorers that exist, sorted: `NAME.js` and no underscore."""
    return tuple(
        sorted(name for name in _texts() if name not in (*_SHARED, _HOST) and "_" not in name)
    )


def _style() -> str:
    text = files(__package__).joinpath("toolkit.css").read_text(encoding="utf-8")
    return f"const STYLE = {json.dumps(text)};\n"


def _shared() -> str:
    return _style() + "\n".join(_texts()[name] for name in _SHARED)


def _own(name: str) -> tuple[str, str]:
    """Return the text of an explorer before its export, and what it exports."""
    if name not in names():
        raise ValueError(f"explorer must be one of {', '.join(names())}, got {name!r}")
    pieces = sorted(piece for piece in _texts() if piece.startswith(f"{name}_"))
    text = "\n".join(_texts()[piece] for piece in (*pieces, name)).rstrip()
    body, separator, exported = text.rpartition("\nexport default ")
    if not separator or "\nexport " in body or "\nimport " in body:
        raise ValueError(
            f"{name}.js must import nothing and end with one `export default {{...}};`"
        )
    return body, exported.removesuffix(";")


def module(name: str) -> str:
    """Return the explorer `name` as one ES module, ready for anywidget.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    str
        The shared style, toolkit and laws, the explorer's own files, and its one default export.

    Raises
    ------
    ValueError
        If there is no such explorer, or its file does not end with one ``export default``.
    """
    body, exported = _own(name)
    return f"{_shared()}\n{body}\nexport default {exported};\n"


def static_script(name: str) -> str:
    """Return the explorer `name` and the host that mounts it, as one classic script.

    The script fetches nothing and evaluates no strings. It works from ``file://``, where modules
    cannot be fetched, and beside the script of another explorer on the same page.

    Raises
    ------
    ValueError
        If there is no such explorer, or its file does not end with one ``export default``.
    """
    body, exported = _own(name)
    return (
        '(() => {\n"use strict";\n'
        f"{_shared()}\nconst NAME = {json.dumps(name)};\n"
        f"const explorer = (() => {{\n{body}\nreturn {exported};\n}})();\n"
        f"{_texts()[_HOST]}}})();\n"
    )


def static_html(name: str, state: Mapping[str, Any], words: str, table: str = "") -> str:
    """Return what a page holds of an explorer: its state, and words for when nothing moves.

    Parameters
    ----------
    name : str
        One of `names()`.
    state : mapping of str to JSON values
        The value of each of the explorer's traits.
    words : str
        Plain text: what the picture shows. It is escaped here.
    table : str, optional
        HTML, already escaped, to stand below the words.

    Raises
    ------
    ValueError
        If there is no such explorer or the state is not JSON (a NaN, say).
    """
    if name not in names():
        raise ValueError(f"explorer must be one of {', '.join(names())}, got {name!r}")
    try:
        text = json.dumps(state, allow_nan=False, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"state must be plain finite JSON values: {problem}") from None
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return (
        f'<div class="amdahl-explorer" data-explorer="{name}">\n'
        f'<script type="application/json">{text}</script>\n'
        f"<p>{html.escape(words)} The moving picture needs JavaScript.</p>\n{table}</div>"
    )


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a plain HTML table of texts, which are escaped; nothing if there are no rows."""
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>\n"


def without_widgets(notebook: dict[str, Any]) -> dict[str, Any]:
    """Drop from an executed notebook what only a running kernel can show, in place.

    Widget views go where HTML stands beside them, and so does the saved widget state, which holds
    the source of each module. Then a notebook opened without a kernel shows the HTML instead of
    "model not found", and its committed outputs hold no random identifiers.

    Parameters
    ----------
    notebook : dict
        A notebook of format 4, as `nbformat` or `json` reads it.

    Returns
    -------
    dict
        The same notebook.
    """
    notebook.get("metadata", {}).pop("widgets", None)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for mime in [mime for mime in data if mime.endswith(_WIDGET_VIEW)]:
                if mime.replace(_WIDGET_VIEW, "text/html") in data:
                    del data[mime]
    return notebook
