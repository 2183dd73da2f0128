"""Experiments: a strategy on a workload, timed by the measuring protocol, as a `ScalingRun`.

One block of an experiment is one call of `run_ranks`: fresh processes, a few steps to warm up,
then for each phase a barrier and a row of steps. The block's time is that of its slowest rank,
because the step is done when the last rank is.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np

from amdahl_lab.machine import load_average, this_machine
from amdahl_lab.parallel.blocks import control_block, train_block
from amdahl_lab.parallel.perceptron import Perceptron, side_by_side
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.strategies.by_torch import DataParallelByTorch
from amdahl_lab.parallel.workloads import Workload, digits
from amdahl_lab.records import Machine, Scalar, ScalingRun, Timing
from amdahl_lab.timing import Values, measure

Phases = Mapping[str, Values]
Progress = bool | Callable[[Iterable[int]], Iterable[int]]

TRANSPORTS = {
    "gloo": DataParallel,
    "shared": partial(DataParallel, transport="shared"),
    "DDP": DataParallelByTorch,
}


def digits_scaling(
    workers: Sequence[int] = (1, 2),
    rounds: int = 10,
    *,
    size: str = "medium",
    batch: int = 1024,
    steps: int = 4,
    threads: int = 1,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Train on the digits, data parallel with a fixed global batch, on each number of workers.

    Parameters
    ----------
    workers : sequence of int
        Numbers of workers N to compare.
    rounds : int, at least 2
        Rounds that count; each runs every N once, in random order.
    size, batch
        The network and the images in one global batch; see `workloads.digits`.
    steps : int, at least 1
        Steps in one block of one phase.
    threads : int, at least 1
        Threads that each rank may use.
    seed : int
        Seed of the workload and of the order of the rounds.
    progress : bool or callable
        Show a progress bar, or what is to wrap the numbers of the rounds in its place, as for
        `timing.measure`.

    Returns
    -------
    ScalingRun
        As of `training_scaling`.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    workload = digits(size, batch, seed)
    return training_scaling(
        workload, workers, rounds, steps=steps, threads=threads, progress=progress
    )


def training_scaling(
    workload: Workload,
    workers: Sequence[int] = (1, 2),
    rounds: int = 10,
    *,
    steps: int = 4,
    threads: int = 1,
    progress: Progress = True,
) -> ScalingRun:
    """Train any workload, data parallel with a fixed global batch, on each number of workers.

    Parameters
    ----------
    workload : Workload
        What is trained; its seed also draws the order of the rounds.
    workers, rounds, steps, threads, progress
        As for `digits_scaling`.

    Returns
    -------
    ScalingRun
        Seconds per step in four phases: "step", the whole; "compute", the step without
        synchronisation; "communication", the bare all-reduce of the gradients (N > 1);
        "serial", what every rank does in full: load the global batch and update the parameters.
        After an interrupt it holds the whole rounds so far.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    blocks = {
        count: partial(_slowest, count, threads, train_block, workload, steps)
        for count in _distinct("workers", workers)
    }
    parameters = {
        **workload.configuration,
        "steps": steps,
        "threads": threads,
        "seed": workload.seed,
    }
    taken = _measured(blocks, rounds, workload.seed, progress)
    return taken.run(f"{workload.name}_data_parallel", parameters)


def control_scaling(
    serial_fraction: float = 0.1,
    workers: Sequence[int] = (1, 2),
    rounds: int = 10,
    *,
    units: int = 600,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Run a workload whose serial fraction is known, for an estimator to prove itself on.

    Parameters
    ----------
    serial_fraction : float, 0 to 1
        Share s of the units that rank 0 works off while the others wait.
    workers, rounds, seed, progress
        As for `digits_scaling`.
    units : int, at least 1
        Equal units of arithmetic in one step. The true serial fraction is a whole number of
        units; ``parameters["serial_fraction"]`` of the run holds it.

    Returns
    -------
    ScalingRun
        Seconds per step, one phase: "step". Every N runs on as many ranks as the largest, the
        idle ones kept busy, and the workers take the parallel units from a common count: so a
        unit takes as long in all of them, and nobody waits for a slow worker.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if not 0 <= serial_fraction <= 1:
        raise ValueError(f"serial_fraction must be between 0 and 1, got {serial_fraction!r}")
    if units < 1:
        raise ValueError(f"units must be at least 1, got {units!r}")
    serial = round(serial_fraction * units)
    counts = _distinct("workers", workers)
    blocks = {
        count: partial(_slowest, max(counts), 1, control_block, count, serial, units - serial)
        for count in counts
    }
    parameters = {
        "serial_fraction": serial / units,
        "units": units,
        "threads": 1,
        "seed": seed,
    }
    return _measured(blocks, rounds, seed, progress).run("control", parameters)


def communication_share(
    sizes: Sequence[str] = ("small", "medium", "wide"),
    batches_per_worker: Sequence[int] = (16, 64, 256),
    workers: int = 2,
    rounds: int = 3,
    *,
    steps: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> dict[tuple[str, int], ScalingRun]:
    """Time one number of workers over model size and batch per worker.

    Parameters
    ----------
    sizes : sequence of str
        Networks; see `workloads.digits`.
    batches_per_worker : sequence of int
        Images that each worker holds.
    workers : int, at least 2
        Number of workers N.
    rounds, steps, seed, progress
        As for `digits_scaling`.

    Returns
    -------
    dict
        For each pair of size and batch per worker a `ScalingRun` at this one N, with the phases
        of `digits_scaling`. The share of communication in a round is
        ``(step - compute) / step``.

    Raises
    ------
    ValueError
        If there are fewer than two workers or no step, or no network of a size.
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 for them to communicate, got {workers!r}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    blocks = {
        (size, each): partial(
            _slowest, workers, 1, train_block, digits(size, each * workers, seed), steps
        )
        for size in sizes
        for each in batches_per_worker
    }
    taken = _measured(blocks, rounds, seed, progress)
    fixed = {"steps": steps, "threads": 1, "seed": seed}
    return {
        (size, each): taken.run(
            "digits_communication",
            {"size": size, "batch": each * workers, **fixed},
            {workers: (size, each)},
        )
        for size, each in blocks
    }


def transport_steps(
    sizes: Sequence[str] = ("0.3 MB", "8.4 MB"),
    workers: int = 2,
    rounds: int = 5,
    *,
    turns: int = 5,
    seed: int = 0,
    progress: Progress = True,
) -> dict[tuple[str, str], ScalingRun]:
    """Time a data-parallel step over sockets, over shared memory and by torch's DDP.

    Parameters
    ----------
    sizes : sequence of str
        Bytes of all gradients, by a name in `perceptron.SIZES`.
    workers : int, at least 2
        Number of workers N.
    rounds, seed, progress
        As for `digits_scaling`; a round starts fresh ranks for each size, in which all transports
        take turns.
    turns : int, at least 1
        Steps in one block.

    Returns
    -------
    dict
        For each pair of size and transport, "gloo", "shared" or "DDP", a `ScalingRun` at this one
        N with the phase "step".

    Raises
    ------
    ValueError
        If there are fewer than two workers or no turn, or no size of a name.
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 for them to communicate, got {workers!r}")
    if turns < 1:
        raise ValueError(f"turns must be at least 1, got {turns!r}")
    blocks = {
        size: partial(
            _slowest,
            workers,
            1,
            side_by_side,
            Perceptron(size, seed=seed),
            TRANSPORTS,
            turns,
            3,
            seed,
        )
        for size in sizes
    }
    taken = _measured(blocks, rounds, seed, progress)
    return {
        (size, name): replace(taken, phases={size: {"step": taken.phases[size][name]}}).run(
            "transport",
            {"size": size, "transport": name, "turns": turns, "threads": 1, "seed": seed},
            {workers: size},
        )
        for size in blocks
        for name in TRANSPORTS
    }


def _slowest(workers: int, threads: int, block: Callable, *args: object) -> dict[str, float]:
    """Run one block in fresh ranks; return for each phase the time of the slowest rank."""
    results = run_ranks(block, workers, *args, threads=threads)
    return {phase: max(result[phase] for result in results) for phase in results[0]}


@dataclass(frozen=True)
class _Measured:
    """What one measurement brought, and the circumstances that belong to its records."""

    phases: Mapping[Hashable, Phases]
    machine: Machine
    started: str
    load_before: float
    load_after: float
    rounds_planned: int

    def run(
        self,
        experiment: str,
        parameters: Mapping[str, Scalar],
        keys: Mapping[int, Hashable] | None = None,
    ) -> ScalingRun:
        """Make the record of one experiment; `keys` tells which block belongs to which N."""
        keys = keys or {workers: workers for workers in self.phases}
        timings = tuple(
            Timing(workers, phase, values.seconds, values.warmups, parameters["threads"])
            for workers, key in sorted(keys.items())
            for phase, values in self.phases[key].items()
        )
        return ScalingRun(
            experiment,
            self.machine,
            timings,
            parameters,
            self.started,
            self.load_before,
            self.load_after,
            self.rounds_planned,
        )


def _measured(
    blocks: Mapping[Hashable, Callable[[], Mapping[str, float]]],
    rounds: int,
    seed: int,
    progress: Progress,
) -> _Measured:
    started, load_before = datetime.now(UTC).isoformat(timespec="seconds"), load_average()
    wrap = progress if callable(progress) else _bar if progress else None
    phases = measure(blocks, rounds, rng=np.random.default_rng(seed), progress=wrap)
    return _Measured(phases, this_machine(), started, load_before, load_average(), rounds)


def _bar(rounds: Sequence[int]) -> Sequence[int]:
    from tqdm.auto import tqdm

    return tqdm(rounds, desc="rounds", unit="round")


def _distinct(name: str, values: Sequence[int]) -> list[int]:
    values = list(values)
    if not values or len(set(values)) < len(values):
        raise ValueError(f"{name} must be different whole numbers, at least one, got {values}")
    return values
