"""The reference measurements of what a step waits for; see `amdahl_lab.parallel.references`."""

from collections.abc import Callable, Iterator

from amdahl_lab.parallel.bottlenecks.allocation import allocation_runs
from amdahl_lab.parallel.bottlenecks.exchange import exchange_run
from amdahl_lab.parallel.bottlenecks.layout import layout_run
from amdahl_lab.parallel.bottlenecks.roofline import roofline_run
from amdahl_lab.parallel.bottlenecks.waits import (
    SMALL,
    jitter_run,
    links_run,
    prefetch_runs,
    straggler_runs,
)
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.records import ScalingRun

ROUNDS = 10
STRAGGLER_ROUNDS = 16  # a tenth more work is little beside what a step varies by
Runs = Iterator[tuple[str, ScalingRun]]


def _roofline(progress: Progress) -> Runs:
    yield "roofline", roofline_run(ROUNDS, progress=progress)


def _layout(progress: Progress) -> Runs:
    yield "layout", layout_run(ROUNDS, progress=progress)


def _allocation(progress: Progress) -> Runs:
    for mode, run in allocation_runs((1, 2), ROUNDS, progress=progress).items():
        yield f"allocation_{mode}", run


def _links(_: Progress) -> Runs:
    yield "all_reduce", links_run(rounds=4 * ROUNDS)
    yield "all_reduce_small", links_run((SMALL,), rounds=60 * ROUNDS)
    yield "jitter", jitter_run(rounds=20 * ROUNDS)


def _straggler(progress: Progress) -> Runs:
    for slower, run in straggler_runs(rounds=STRAGGLER_ROUNDS, progress=progress).items():
        yield f"straggler_{100 * slower:03.0f}", run


def _prefetch(progress: Progress) -> Runs:
    for width, run in prefetch_runs(rounds=8, progress=progress).items():
        yield f"prefetch_{width:03d}", run


def _exchange(progress: Progress) -> Runs:
    yield "exchange", exchange_run(rounds=8, progress=progress)


BOTTLENECKS: dict[str, Callable[[Progress], Runs]] = {
    "roofline": _roofline,
    "layout": _layout,
    "allocation": _allocation,
    "links": _links,
    "straggler": _straggler,
    "prefetch": _prefetch,
    "exchange": _exchange,
}
