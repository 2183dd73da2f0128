"""Comparisons of a program with itself, each measured wrongly and rightly.

In every one of them A and B do the same work, so the true ratio is 1.
"""

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker.operators import seconds_in_row
from amdahl_lab.records import ScalingRun

TRICKS = ("cold start", "blocks", "no wait", "precision", "threads", "first touch", "not consumed")
TURNS = 8  # of each side, where turns are timed one by one
BUSY = (
    "import os, time\nparent, end = os.getppid(), time.time() + 20\n"
    "while os.getppid() == parent and time.time() < end: sum(range(10000))"
)
Pair = tuple[float, float]


def aa_run(rounds: int = 20, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Compare a training step with itself: fresh process, random order, one thread.

    Returns
    -------
    ScalingRun
        Phases "step" and "step again", the same program on the same data.
    """
    blocks = {1: partial(_slowest, 1, 1, aa_block)}
    return _measured(blocks, rounds, seed, progress).run("aa", {"threads": 1, "seed": seed})


def aa_block() -> dict[str, float]:
    """Time the same step under two names on this rank, in random order."""
    step = _small_step()
    names = ("step", "step again")
    for _ in range(3):
        step()
    order = [names[place] for place in torch.randperm(2)]
    found = {name: seconds_in_row(step, 0.03) for name in order}
    return {name: found[name] for name in names}


def fooled_run(rounds: int = 10, *, seed: int = 0, progress: Progress = True) -> ScalingRun:
    """Measure every pair of `TRICKS` wrongly and rightly.

    Returns
    -------
    ScalingRun
        For each trick the phases "TRICK, wrong A", "TRICK, wrong B", "TRICK, A" and "TRICK, B".
    """
    blocks = {1: fooled_block}
    return _measured(blocks, rounds, seed, progress).run("fooled", {"threads": 1, "seed": seed})


def fooled_block() -> dict[str, float]:
    """Run each trick once, each in fresh ranks."""
    found: dict[str, float] = {}
    for trick in TRICKS:
        workers, function = PAIRS[trick]
        found |= {
            f"{trick}, {side}": seconds for side, seconds in _slowest(workers, 1, function).items()
        }
    return found


def cold_start() -> dict[str, float]:
    """A goes first in its process, and nothing was warmed up."""
    step = _small_step()
    wrong = _turns(step, 3), _turns(step, 3)
    return _named(wrong, _alternated(step, step))


def blocks() -> dict[str, float]:
    """All turns of A, then all of B; half way neighbours come, as neighbours do."""
    step = _small_step()
    _turns(step, 3)
    first = _turns(step, 5 * TURNS)
    with _Neighbours():
        second = _turns(step, 5 * TURNS)
        right = _alternated(step, step, 5 * TURNS)
    return _named((first, second), right)


def no_wait() -> dict[str, float]:
    """B starts an all-reduce and stops the clock before it is done."""
    numbers = torch.ones(1_000_000)

    def waited() -> None:
        dist.all_reduce(numbers)

    def started() -> None:
        handles.append(dist.all_reduce(numbers, async_op=True))

    def finished() -> None:
        dist.all_reduce(numbers, async_op=True).wait()

    handles: list[dist.Work] = []
    _turns(waited, 3)
    spent = [0.0, 0.0]
    for _ in range(TURNS):
        spent[0] += _turns(waited, 1)
        dist.barrier()
        spent[1] += _turns(started, 1)
        handles.pop().wait()
        dist.barrier()
    return _named((spent[0], spent[1]), _alternated(waited, finished))


def precision() -> dict[str, float]:
    """A gets the double precision that numpy makes by default, B single precision."""
    a = np.random.default_rng(0).random((384, 384))
    double, single = torch.from_numpy(a), torch.from_numpy(a.astype(np.float32))

    def product(x: torch.Tensor) -> Callable[[], torch.Tensor]:
        return lambda: x @ x

    wrong = _alternated(product(double), product(single))
    return _named(wrong, _alternated(product(single), product(single)))


def threads() -> dict[str, float]:
    """A gets one thread, B all that may be used."""
    x, most = torch.rand(1024, 1024), max(2, _usable())

    def product(count: int) -> Callable[[], object]:
        def turn() -> None:
            torch.set_num_threads(count)
            x @ x

        return turn

    wrong = _alternated(product(1), product(most), 3)
    return _named(wrong, _alternated(product(most), product(most), 3))


def first_touch() -> dict[str, float]:
    """A writes into fresh memory, B into memory that A has touched."""
    size, spent = 32 << 20, [0.0, 0.0, 0.0, 0.0]
    source = np.ones(size // 8)
    for turn in range(TURNS):
        with mmap.mmap(-1, size) as memory:
            target = np.frombuffer(memory, dtype=np.float64)
            copy = partial(np.copyto, target, source)
            spent[0] += _turns(copy, 1)
            spent[1] += _turns(copy, 1)
            for side in ((2, 3), (3, 2))[turn % 2]:
                spent[side] += _turns(copy, 1)
            del target, copy  # memory can't be given back while they look at it
    return _named((spent[0], spent[1]), (spent[2], spent[3]))


def not_consumed() -> dict[str, float]:
    """B returns a generator, and nobody asks it for a value inside the clock."""
    parts = [torch.rand(128, 128) for _ in range(20)]

    def eager() -> list[torch.Tensor]:
        return [part @ part for part in parts]

    def lazy():
        return (part @ part for part in parts)

    wrong = _alternated(eager, lazy)
    return _named(wrong, _alternated(eager, lambda: list(lazy())))


PAIRS: dict[str, tuple[int, Callable[[], dict[str, float]]]] = {
    "cold start": (1, cold_start),
    "blocks": (1, blocks),
    "no wait": (2, no_wait),
    "precision": (1, precision),
    "threads": (1, threads),
    "first touch": (1, first_touch),
    "not consumed": (1, not_consumed),
}


class _Neighbours:
    """As many busy processes as there are cores; they end with the block, or with this process."""

    def __enter__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", BUSY]
        self._busy = [subprocess.Popen(command) for _ in range(_usable())]
        time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        for each in self._busy:
            each.kill()
        for each in self._busy:
            each.wait()


def _usable() -> int:
    """Return the cores that this process may use; ranks are not pinned to one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _small_step() -> Callable[[], None]:
    model = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    inputs = torch.rand(128, 256)
    optimizer = torch.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()

    return step


def _turns(turn: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        turn()
    return time.perf_counter() - start


def _alternated(a: Callable[[], object], b: Callable[[], object], turns: int = TURNS) -> Pair:
    """Time both in turn, the first of them changing, after one turn of each to warm up."""
    spent = {0: 0.0, 1: 0.0}
    sides = (a, b)
    for side in sides:
        side()
    for number in range(turns):
        for place in ((0, 1), (1, 0))[number % 2]:
            spent[place] += _turns(sides[place], 1)
    return spent[0], spent[1]


def _named(wrong: Pair, right: Pair) -> dict[str, float]:
    return dict(zip(("wrong A", "wrong B", "A", "B"), (*wrong, *right), strict=True))
