"""The book's reference measurements: which experiments, with which arguments, under which names.

``make record`` takes them all and writes them to `amdahl_lab.recorded`. They use more rounds than a
lab has time for.
"""

from collections.abc import Callable
from dataclasses import replace

from amdahl_lab.parallel import experiments
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.records import ScalingRun

ROUNDS = 20
Runs = dict[str, ScalingRun]


def _digits(progress: Progress) -> Runs:
    return {"digits_scaling": experiments.digits_scaling((1, 2, 3, 4), ROUNDS, progress=progress)}


def _digits_small_batch(progress: Progress) -> Runs:
    run = experiments.digits_scaling((1, 2, 4), ROUNDS, batch=16, progress=progress)
    return {"digits_small_batch": run}


def _control(progress: Progress) -> Runs:
    return {
        f"control_{100 * s:02.0f}": experiments.control_scaling(
            s, (1, 2), ROUNDS, progress=progress
        )
        for s in (0.05, 0.10, 0.30)
    }


def _communication(progress: Progress) -> Runs:
    runs = experiments.communication_share(
        ("small", "medium", "wide"), (16, 64, 256), rounds=ROUNDS // 2, progress=progress
    )
    return {f"communication_{size}_{batch:03d}": run for (size, batch), run in runs.items()}


def _named(take: Callable[[Progress], Runs]) -> Callable[[str | None, Progress], Runs]:
    def taken(machine_name: str | None, progress: Progress = True) -> Runs:
        runs = take(progress)
        if machine_name is None:
            return runs
        return {
            stem: replace(run, machine=replace(run.machine, name=machine_name))
            for stem, run in runs.items()
        }

    return taken


REFERENCES: dict[str, Callable[[str | None, Progress], Runs]] = {
    "digits": _named(_digits),
    "digits_small_batch": _named(_digits_small_batch),
    "control": _named(_control),
    "communication": _named(_communication),
}
