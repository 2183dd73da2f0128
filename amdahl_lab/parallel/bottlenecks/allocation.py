"""Training whose freed memory goes back to the system and comes again, page by page.

The ranks of this package keep what they have freed (`_processes.PINNED`). Here a rank can be put
back to what the C library does by itself, on purpose, to see what that costs.
"""

import contextlib
import ctypes
import math
from collections.abc import Sequence
from functools import partial

from amdahl_lab.parallel.blocks import SHORTEST, WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Workload
from amdahl_lab.parallel.workloads.shaped import shaped
from amdahl_lab.records import ScalingRun

with contextlib.suppress(ImportError):  # not on Windows, whose allocator has no such settings
    import resource

# What glibc's own thresholds come to once a program has freed large blocks: blocks above 32 MiB
# are fetched from the system and given back each time, and so is a free end above 64 MiB.
DEFAULTS = {"M_MMAP_THRESHOLD": (-3, 32 << 20), "M_TRIM_THRESHOLD": (-1, 64 << 20)}
DEFAULTS["M_TOP_PAD"] = (-2, 128 << 10)


def hand_memory_back() -> bool:
    """Let this process give freed memory back, as any program on glibc does by itself.

    Returns
    -------
    bool
        False where the C library has no such setting: nothing was changed.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(tell(number, value) == 1 for number, value in DEFAULTS.values())


def large_activations(batch: int = 1024) -> Workload:
    """Return a small convolutional network with activations of many megabytes."""
    return shaped("convolution", 136, 1, batch)


def page_faults(workers: int, returned: bool, batch: int = 1024, steps: int = 3) -> float:
    """Count the pages of 4 KiB, typically, that one rank asks the system for in one step.

    Parameters
    ----------
    workers : int
        Number of workers N that share the batch.
    returned : bool
        Give freed memory back, or keep it.
    batch : int
        Images in one global batch.
    steps : int, at least 1
        Steps to count over, after a few to warm up.

    Returns
    -------
    float
        Page faults per step, of the rank with the most; NaN where the system does not tell.
    """
    block = partial(_faults_block, large_activations(batch), steps, returned)
    return max(run_ranks(block, workers))


def allocation_runs(
    workers: Sequence[int] = (1, 2),
    rounds: int = 5,
    *,
    batch: int = 1024,
    steps: int = 2,
    seed: int = 0,
    progress: Progress = True,
) -> dict[str, ScalingRun]:
    """Train with freed memory kept and with freed memory given back, side by side.

    Parameters
    ----------
    workers, rounds, batch, steps, seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    dict of str to ScalingRun
        "kept" and "returned", with the phases "step", and "system": the part of the step that
        the system's kernel spent for this process.
    """
    workload = large_activations(batch)
    blocks = {
        (mode, count): partial(
            _slowest, count, 1, allocation_block, workload, steps, mode == "returned"
        )
        for mode in ("kept", "returned")
        for count in workers
    }
    taken = _measured(blocks, rounds, seed, progress)
    fixed = {**workload.configuration, "steps": steps, "threads": 1, "seed": seed}
    return {
        mode: taken.run(
            "allocation", {"memory": mode, **fixed}, {count: (mode, count) for count in workers}
        )
        for mode in ("kept", "returned")
    }


def allocation_block(workload: Workload, steps: int, returned: bool) -> dict[str, float]:
    """Time steps on this rank, and the kernel's part of them."""
    step = _stepper(workload, returned)
    before = _used("ru_stime")
    seconds = seconds_per_turn(step, steps)
    system = (_used("ru_stime") - before) / steps
    return {"step": seconds, "system": SHORTEST if math.isnan(system) else max(system, SHORTEST)}


def _faults_block(workload: Workload, steps: int, returned: bool) -> float:
    step = _stepper(workload, returned)
    before = _used("ru_minflt")
    for number in range(steps):
        step(number)
    return (_used("ru_minflt") - before) / steps


def _used(what: str) -> float:
    """Return what this process has used so far, NaN where the system does not tell."""
    if "resource" not in globals():
        return math.nan
    return getattr(resource.getrusage(resource.RUSAGE_SELF), what)


def _stepper(workload: Workload, returned: bool):
    if returned:
        hand_memory_back()
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)

    def step(number: int) -> None:
        training.step(workload.load(number))

    for number in range(WARM_STEPS):
        step(number)
    return step
