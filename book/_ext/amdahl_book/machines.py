"""The machines that the recorded runs were taken on, read from the runs themselves.

```{reference-machine}
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .tables import row, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
RUNS = "amdahl_lab/recorded"
GIB = 2**30


def recorded_runs(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield (file name, ScalingRun) of each recorded run in `folder`, in the order of the names."""
    from amdahl_lab.storage import RUN_FORMAT, load_run

    for path in sorted(folder.rglob("*.json")):
        if json.loads(path.read_text(encoding="utf-8")).get("format") == RUN_FORMAT:
            yield path.name, load_run(path)


def machine_rows(machine: Any) -> list[tuple[str, str]]:
    """Return what there is to say of a machine, as pairs of a word and a value."""
    rows = [
        ("System", machine.system),
        ("Processor", machine.processor),
        ("Cores usable", f"{machine.cores_usable:g} of {machine.cores_present} present"),
    ]
    if machine.memory_bytes:
        rows.append(("Memory", f"{machine.memory_bytes / GIB:.1f} GiB"))
    rows += [(name, version) for name, version in machine.versions.items()]
    return rows


class ReferenceMachineDirective(SphinxDirective):
    """Each machine that a recorded run names, followed by its runs."""

    def run(self) -> list[nodes.Node]:
        """Return a table of each machine and a table of its runs."""
        folder = Path(self.env.srcdir) / RUNS
        machines: dict[Any, list[tuple[str, Any]]] = {}
        for name, run in recorded_runs(folder):
            self.env.note_dependency(f"{RUNS}/{name}")
            machines.setdefault((run.machine.name, run.machine.hardware), []).append((name, run))
        if not machines:
            LOGGER.warning(
                "no recorded run in %s", RUNS, location=self.get_location(), type="amdahl_book"
            )
        found: list[nodes.Node] = []
        for runs in machines.values():
            found += self._machine(runs)
        return found

    def _machine(self, runs: list[tuple[str, Any]]) -> list[nodes.Node]:
        machine = runs[-1][1].machine
        facts = table(
            ("What", machine.name),
            [
                row(
                    nodes.Text(word),
                    nodes.literal("", value) if word[0].islower() else nodes.Text(value),
                )
                for word, value in machine_rows(machine)
            ],
            widths=(30, 70),
            classes=["machine"],
        )
        taken = table(
            ("Run", "Taken (UTC)", "Workers", "Rounds", "Load before, after", "Settings"),
            [self._run(name, run) for name, run in runs],
            widths=(22, 18, 12, 10, 14, 24),
            classes=["runs"],
        )
        return [facts, taken]

    def _run(self, name: str, run: Any) -> nodes.row:
        # Not `run.workers`: that is where whole steps were timed, and some runs time other things.
        counts = sorted({timing.workers for timing in run.timings})
        workers = ", ".join(f"{n}{'*' if run.oversubscribed(n) else ''}" for n in counts)
        settings = ", ".join(f"{key} {value}" for key, value in run.parameters.items())
        return row(
            nodes.literal("", name.removesuffix(".json")),
            nodes.Text(run.started[:16].replace("T", " ")),
            nodes.Text(workers),
            nodes.Text(f"{run.rounds} of {run.rounds_planned}"),
            nodes.Text(f"{run.load_before:.2f}, {run.load_after:.2f}"),
            nodes.Text(settings),
        )


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("reference-machine", ReferenceMachineDirective)
