"""The reference measurements of faster parts; see `amdahl_lab.parallel.references`."""

from collections.abc import Callable, Iterator

from amdahl_lab.parallel.acceleration import fusion, offload, parts, unequal
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.records import ScalingRun

ROUNDS = 14
Runs = Iterator[tuple[str, ScalingRun]]


def _parts(progress: Progress) -> Runs:
    yield "parts_before", parts.before(rounds=ROUNDS, progress=progress)
    yield "parts_after", parts.after(rounds=ROUNDS, progress=progress)


def _fusion(progress: Progress) -> Runs:
    yield "fusion", fusion.fusion_run(ROUNDS, progress=progress)


def _unequal(progress: Progress) -> Runs:
    probed = unequal.probe(ROUNDS, progress=progress)
    yield "unequal_probe", probed
    yield "unequal", unequal.steps(unequal.compared(probed), ROUNDS, progress=progress)


def _offload(progress: Progress) -> Runs:
    yield "offload", offload.offload_run(rounds=ROUNDS, progress=progress)
    if device := offload.gpu():
        yield "offload_gpu", offload.offload_run(rounds=ROUNDS, device=device, progress=progress)


ACCELERATION: dict[str, Callable[[Progress], Runs]] = {
    "parts": _parts,
    "fusion": _fusion,
    "unequal": _unequal,
    "offload": _offload,
}
