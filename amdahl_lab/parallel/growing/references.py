"""The reference measurements of growing resources; see `amdahl_lab.parallel.references`."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.parallel.growing.batches import batch_study
from amdahl_lab.parallel.growing.killed import recovery_run
from amdahl_lab.parallel.growing.precision import precision_run
from amdahl_lab.parallel.growing.studies import strong_study, weak_study
from amdahl_lab.parallel.growing.uneven import uneven_run
from amdahl_lab.records import ScalingRun

ROUNDS = 10
Runs = Iterator[tuple[str, ScalingRun]]


def _studies(progress: Progress) -> Runs:
    for stem, study in (("strong_study", strong_study), ("weak_study", weak_study)):
        run = study((1, 2, 4), ROUNDS, progress=progress)
        yield stem, run
        if run.rounds < run.rounds_planned:  # it was interrupted
            return


def _uneven(progress: Progress) -> Runs:
    yield "uneven", uneven_run(rounds=2 * ROUNDS, progress=progress)


def _recovery(progress: Progress) -> Runs:
    with tempfile.TemporaryDirectory() as folder:
        yield "recovery", recovery_run(Path(folder), rounds=ROUNDS, progress=progress)


def _batches(progress: Progress) -> Runs:
    yield "critical_batch", batch_study(progress=progress)


def _precision(progress: Progress) -> Runs:
    yield "precision", precision_run(ROUNDS, progress=progress)


GROWING: dict[str, Callable[[Progress], Runs]] = {
    "studies": _studies,
    "uneven": _uneven,
    "recovery": _recovery,
    "critical_batch": _batches,
    "precision": _precision,
}
