"""The reference measurements of chapter 7; see `amdahl_lab.parallel.references`."""

from collections.abc import Callable, Iterator

from amdahl_lab.parallel.comparisons.fooled import aa_run, fooled_run
from amdahl_lab.parallel.comparisons.precision import precision_run
from amdahl_lab.parallel.comparisons.profile import profile_run
from amdahl_lab.parallel.comparisons.to_target import to_target_run, tuned
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.records import ScalingRun

Runs = Iterator[tuple[str, ScalingRun]]


def _aa(progress: Progress) -> Runs:
    yield "aa", aa_run(40, progress=progress)


def _fooled(progress: Progress) -> Runs:
    yield "fooled", fooled_run(8, progress=progress)


def _profile(progress: Progress) -> Runs:
    yield "profile", profile_run(15, progress=progress)


def _precision(progress: Progress) -> Runs:
    yield "half_precision", precision_run(10, progress=progress)


def _to_target(progress: Progress) -> Runs:
    yield "to_target", to_target_run(tuned(), 12, progress=progress)


COMPARISONS: dict[str, Callable[[Progress], Runs]] = {
    "aa": _aa,
    "fooled": _fooled,
    "profile": _profile,
    "half_precision": _precision,
    "to_target": _to_target,
}
