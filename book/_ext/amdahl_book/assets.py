"""Scripts that a page loads only where it needs them: the explorers' own and MathJax."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
EXPLORER = re.compile(r'class="amdahl-explorer" data-explorer="(\w+)"')
SCRIPT = "explorer-{}.js"
# Files by a part of their names, with the mark of a page that needs them. Sphinx gives MathJax to
# a page without formulas if a page below it has some.
NEEDED_BY = {
    "mathjax/": 'class="math',
    "window.MathJax": 'class="math',
    "sphinx-design": "sd-",
    "design-tabs": "sd-tab",
    "proof.css": "proof",
    "exercise.css": "exercise",
    "clipboard": "highlight",
    "copybutton": "highlight",
}


def write_scripts(app: Sphinx) -> None:
    """Write each explorer's script to a folder that Sphinx copies with the other static files."""
    try:
        from amdahl_lab.explorers import names, static_script
    except ImportError as problem:
        LOGGER.warning("no explorers on this site: %s", problem, type="amdahl_book")
        return
    folder = Path(app.outdir).parent / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names():
        text, target = static_script(name), folder / SCRIPT.format(name)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def load_where_needed(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Add to a page the script of each explorer that it holds, and no other."""
    for name in sorted(set(EXPLORER.findall(context.get("body", "")))):
        app.add_js_file(SCRIPT.format(name), loading_method="defer")


def drop_unused(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Take off a page what its text has no use for, though an extension adds it to every page."""
    body = context.get("body", "")
    for kind in ("css_files", "script_files"):
        context[kind] = [
            file
            for file in context[kind]
            if not any(
                name in _named(file) and mark not in body for name, mark in NEEDED_BY.items()
            )
        ]


def _named(file: Any) -> str:
    return f"{file.filename or ''} {file.attributes.get('body') or ''}"


def forbid_widget_scripts(app: Sphinx, config: Any) -> None:
    """Refuse a configuration that would load ipywidgets' scripts from another host."""
    if config.nb_ipywidgets_js:
        raise ExtensionError(
            "nb_ipywidgets_js must stay empty: the site loads nothing from elsewhere"
        )


def setup(app: Sphinx) -> None:
    """Connect the steps; what is unused goes last."""
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it; nothing reads it
    app.connect("config-inited", forbid_widget_scripts)
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", load_where_needed)
    app.connect("html-page-context", drop_unused, priority=900)
