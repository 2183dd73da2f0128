"""The explorers' script, made from the package and loaded only where a page holds an explorer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
MARK = 'class="amdahl-explorer"'
SCRIPT = "explorers.js"


def write_bundle(app: Sphinx) -> None:
    """Write the script to a folder that Sphinx copies with the other static files."""
    try:
        from amdahl_lab.explorers import static_bundle
    except ImportError as problem:
        LOGGER.warning("no explorers on this site: %s", problem, type="amdahl_book")
        return
    folder = Path(app.outdir).parent / "assets"
    folder.mkdir(parents=True, exist_ok=True)
    text = static_bundle()
    target = folder / SCRIPT
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def load_where_needed(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Add the script to a page that holds an explorer, and to no other."""
    if MARK in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def forbid_widget_scripts(app: Sphinx, config: Any) -> None:
    """Refuse a configuration that would load ipywidgets' scripts from another host."""
    if config.nb_ipywidgets_js:
        raise ExtensionError(
            "nb_ipywidgets_js must stay empty: the site loads nothing from elsewhere"
        )


def setup(app: Sphinx) -> None:
    """Connect the three steps."""
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it; nothing reads it
    app.connect("config-inited", forbid_widget_scripts)
    app.connect("builder-inited", write_bundle)
    app.connect("html-page-context", load_where_needed)
