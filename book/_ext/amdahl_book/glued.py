"""Numbers and figures of a committed notebook, used on another page of the same chapter.

    {glued}`lab:speedup_at_two`          the text of the value that lab.ipynb glued under that name
    {glued}`lab:serial_share:.1%`        the same, formatted

    ```{glued-figure} lab:speedup_figure
    :name: fig-ch01-speedup
    The caption, which says what the figure shows.
    ```

    ```{glued-explorer} model:explorer
    ```

myst-nb has a form of the first two, but it renders PNG only, without a caption, and does not
rebuild the page when the notebook changes. A missing notebook, name or format is a warning, and so
an error in the build of the book.
"""

from __future__ import annotations

import hashlib
import json
import os
from ast import literal_eval
from base64 import b64decode
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.directives.patches import Figure
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from .alt_text import words_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
_PICTURES = (("image/svg+xml", ".svg"), ("image/png", ".png"))


class GlueError(ValueError):
    """A glued value that is not there or can't be shown as asked."""


def _joined(content: Any) -> str:
    return "".join(content) if isinstance(content, list) else str(content)


@lru_cache(maxsize=64)
def _read(path: Path, _changed_at: int) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            scrap = output.get("metadata", {}).get("scrapbook")
            if scrap:
                prefix = scrap.get("mime_prefix", "")
                values[scrap["name"]] = {
                    mime.removeprefix(prefix): _joined(content)
                    for mime, content in output["data"].items()
                }
    return values


def glued_values(path: Path) -> dict[str, dict[str, str]]:
    """Return {name: {mime type: content}} of everything glued in the notebook at `path`.

    Raises
    ------
    GlueError
        If there is no notebook at `path`.
    """
    if not path.is_file():
        raise GlueError(f"no notebook {path.name!r} beside this page")
    return _read(path, path.stat().st_mtime_ns)


def find(folder: Path, target: str) -> tuple[Path, dict[str, str], str]:
    """Split `notebook:name[:format]` and return the notebook, the mime bundle and the format.

    Raises
    ------
    GlueError
        If `target` has another form, or the notebook or the name is missing.
    """
    stem, _, rest = target.partition(":")
    name, _, spec = rest.partition(":")
    if not stem or not name:
        raise GlueError(f"{target!r} must read notebook:name or notebook:name:format")
    path = folder / f"{stem.removesuffix('.ipynb')}.ipynb"
    values = glued_values(path)
    if name not in values:
        raise GlueError(f"{path.name} glues no {name!r}; it glues {sorted(values) or 'nothing'}")
    return path, values[name], spec


def formatted(plain: str, spec: str) -> str:
    """Return the text of a glued value; `spec` is a Python format specification or empty.

    Examples
    --------
    >>> formatted("0.0812", ".1%"), formatted("'1.83 (95% interval 1.79 to 1.87)'", "")
    ('8.1%', '1.83 (95% interval 1.79 to 1.87)')
    """
    text = plain.removeprefix("np.float64(").removesuffix(")") if "np.float64(" in plain else plain
    try:
        value = literal_eval(text)
    except (SyntaxError, ValueError):
        value = text
    if not spec:
        return str(value)
    try:
        return format(value, spec)
    except (TypeError, ValueError) as problem:
        raise GlueError(f"{plain!r} can't be formatted with {spec!r}: {problem}") from problem


class GluedRole(SphinxRole):
    """A glued value in running text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text, or a warning and a visible gap."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        try:
            path, bundle, spec = find(folder, self.text)
            if "text/plain" not in bundle:
                raise GlueError(f"{self.text!r} has no text")
            text = formatted(bundle["text/plain"], spec)
        except GlueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return [nodes.strong("", "[missing value]")], []
        self.env.note_dependency(os.path.relpath(path, self.env.srcdir))
        return [nodes.inline(text, text, classes=["glued"])], []


class GluedExplorer(SphinxDirective):
    """The HTML of a glued explorer, which `explorers.js` brings to life."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the HTML as it is in the notebook."""
        try:
            path, bundle, _ = find(
                Path(self.env.doc2path(self.env.docname)).parent, self.arguments[0]
            )
            if "text/html" not in bundle:
                raise GlueError(f"{self.arguments[0]!r} has no HTML; it has {sorted(bundle)}")
        except GlueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return []
        self.env.note_dependency(os.path.relpath(path, self.env.srcdir))
        return [nodes.raw("", bundle["text/html"], format="html", classes=["glued-explorer"])]


class GluedFigure(SphinxDirective, Figure):
    """A glued picture with a caption, a label and its alternative text."""

    option_spec = {**Figure.option_spec, "alt": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Write the picture where Sphinx finds it, then act as an ordinary figure."""
        env = self.env
        folder = Path(env.doc2path(env.docname)).parent
        try:
            path, bundle, _ = find(folder, self.arguments[0])
            target = self._write(bundle)
            self.options.setdefault("alt", words_of(bundle.get("text/plain", "")))
            if not self.content:
                raise GlueError(f"{self.arguments[0]!r} needs a caption that says what it shows")
        except GlueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return []
        env.note_dependency(os.path.relpath(path, env.srcdir))
        self.arguments[0] = "/" + Path(os.path.relpath(target, env.srcdir)).as_posix()
        return super().run()

    def _write(self, bundle: dict[str, str]) -> Path:
        folder = Path(self.env.app.outdir).parent / "glued"
        folder.mkdir(parents=True, exist_ok=True)
        for mime, ending in _PICTURES:
            if mime in bundle:
                data = bundle[mime].encode() if mime == "image/svg+xml" else b64decode(bundle[mime])
                target = folder / (hashlib.sha256(data).hexdigest()[:16] + ending)
                if not target.exists():
                    target.write_bytes(data)
                return target
        raise GlueError(f"{self.arguments[0]!r} is no picture; it has {sorted(bundle)}")


def setup(app: Sphinx) -> None:
    """Register the role and the directives."""
    app.add_role("glued", GluedRole())
    app.add_directive("glued-figure", GluedFigure)
    app.add_directive("glued-explorer", GluedExplorer)
