"""Where the book's numbers and data come from.

```{recorded-runs}
```                    every recorded run, how it was taken, and the notebooks that read it
```{data-files}
```                    every data file that comes along, with its source and licence
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .machines import RUNS, recorded_runs
from .tables import row, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
SOURCES = "book/data.yml"
DATA = {".json", ".csv", ".txt"}
_ASKED = re.compile(r'reference_run\((f?)"([^"]+)"')


def code_of(notebook: Path) -> str:
    """Return the code of a notebook's cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def reads(code: str, name: str) -> bool:
    """Return whether `code` loads the recorded run `name`, by its name or by one put together.

    Examples
    --------
    >>> reads('reference_run(f"straggler_{100 * slower:03.0f}")', "straggler_025")
    True
    >>> reads('reference_run("roofline")', "layout")
    False
    """
    if f'reference_run("{name}"' in code:
        return True
    if re.search(r"reference_run\(\w+\)", code) and f'"{name}"' in code:
        return True
    for formatted, asked in _ASKED.findall(code):
        fixed = re.split(r"\{[^}]*\}", asked)
        if formatted and re.fullmatch(".+".join(map(re.escape, fixed)), name):
            # Where hardly a letter is fixed, the words of the name must be in the code.
            words = set(re.findall(r"[^\W_]+", code))
            if len("".join(fixed)) > 3 or set(name.split("_")) <= words:
                return True
    return False


def sources_of(files: list[str], entries: list[dict[str, str]]) -> dict[int, list[str]]:
    """Return the files of each entry, by the entry's place in the list.

    Raises
    ------
    ValueError
        If a file has no entry, or an entry no file.
    """
    found: dict[int, list[str]] = {place: [] for place in range(len(entries))}
    for name in files:
        for place, entry in enumerate(entries):
            if re.fullmatch(entry["files"].replace(".", r"\.").replace("*", "[^/]*"), name):
                found[place].append(name)
                break
        else:
            raise ValueError(f"{SOURCES} names no source and no licence of {name}")
    empty = [entries[place]["files"] for place, names in found.items() if not names]
    if empty:
        raise ValueError(f"{SOURCES} names files that are not there: {', '.join(empty)}")
    return found


class RecordedRunsDirective(SphinxDirective):
    """A row for each recorded run."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        root = Path(self.env.srcdir)
        codes = {}
        for notebook in sorted(root.glob("chapters/*/*.ipynb")):
            name = notebook.relative_to(root)
            self.env.note_dependency(name.as_posix())
            codes[name.with_suffix("").as_posix()] = code_of(notebook)
        rows = []
        for file, run in recorded_runs(root / RUNS):
            self.env.note_dependency(f"{RUNS}/{file}")
            name = file.removesuffix(".json")
            rows.append(self._row(name, run, [page for page in codes if reads(codes[page], name)]))
        head = ("Run", "Experiment", "Taken", "Settings", "Read by")
        return [table(head, rows, widths=(20, 20, 22, 20, 18), classes=["provenance"])]

    def _row(self, name: str, run: Any, pages: list[str]) -> nodes.row:
        links: list[nodes.Node] = []
        for page in pages:
            links += [nodes.Text(", ")] if links else []
            words = f"{int(page.split('/')[1][:2])} {page.split('/')[2]}"
            links.append(
                addnodes.pending_xref(
                    "",
                    nodes.inline("", words),
                    refdomain="std",
                    reftype="doc",
                    reftarget="/" + page,
                    refdoc=self.env.docname,
                    refexplicit=True,
                    refwarn=True,
                )
            )
        versions = ", ".join(
            f"{package} {version}"
            for package, version in run.machine.versions.items()
            if package in ("python", "torch")
        )
        settings = ", ".join(f"{key} {value}" for key, value in run.parameters.items())
        return row(
            nodes.literal("", name),
            nodes.Text(run.experiment.replace("_", " ")),
            nodes.Text(f"{run.started[:10]}, {run.machine.name}, {run.rounds} rounds, {versions}"),
            nodes.Text(settings or "none"),
            nodes.paragraph("", "", *(links or [nodes.Text("the labs, as a spare")])),
        )


class DataFilesDirective(SphinxDirective):
    """A row for each data file, or for each group of files of one source."""

    def run(self) -> list[nodes.Node]:
        """Return the table, or a warning where a file has no source."""
        root = Path(self.env.srcdir)
        self.env.note_dependency(SOURCES)
        entries = yaml.safe_load((root / SOURCES).read_text(encoding="utf-8"))["data"]
        paths = (path for path in (root / RUNS).rglob("*") if path.suffix in DATA)
        files = sorted(Path(os.path.relpath(path, root / RUNS)).as_posix() for path in paths)
        try:
            found = sources_of(files, entries)
        except ValueError as problem:
            LOGGER.warning("%s", problem, location=self.get_location(), type="amdahl_book")
            return []
        rows = [self._row(entries[place], root, names) for place, names in found.items()]
        head = ("File", "What it holds", "Source", "Licence")
        return [table(head, rows, widths=(24, 28, 28, 20), classes=["data-files"])]

    def _row(self, entry: dict[str, str], root: Path, names: list[str]) -> nodes.row:
        size = sum((root / RUNS / name).stat().st_size for name in names) / 1000
        several = f"{len(names)} files, " if len(names) > 1 else ""
        return row(
            nodes.paragraph(
                "", "", nodes.literal("", entry["files"]), nodes.Text(f" ({several}{size:.0f} kB)")
            ),
            *(
                nodes.paragraph("", "", *self._inline(entry[k]))
                for k in ("what", "source", "licence")
            ),
        )

    def _inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("recorded-runs", RecordedRunsDirective)
    app.add_directive("data-files", DataFilesDirective)
