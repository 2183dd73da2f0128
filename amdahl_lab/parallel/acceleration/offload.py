"""A product of two matrices carried to a faster device and back: another rank, or a GPU.

The host is one rank with one thread. The device is a second rank with every core that may be used,
behind a process boundary over which the matrices are sent; or a GPU behind its bus, where PyTorch
finds one. Both are timed by the same phases.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab import laws
from amdahl_lab.machine import usable_cores
from amdahl_lab.parallel.acceleration.reader import median_turn
from amdahl_lab.parallel.experiments import Progress, _measured
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.records import Interval, ScalingRun
from amdahl_lab.statistics import mean_time_interval, pivotal_draws

SIDES = (128, 256, 512, 1024, 1536)
TURNS = 3
FLOAT = 4  # bytes
PHASES = ("host", "device", "there and back", "offloaded")


def gpu() -> str | None:
    """Return the name of the GPU that PyTorch can use, "cuda" or "mps", or None."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def offload_run(
    sides: Sequence[int] = SIDES,
    rounds: int = 6,
    *,
    device: str = "rank",
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time products on the host, on the device, and carried to the device and back.

    Parameters
    ----------
    sides : sequence of int
        Sides n of the matrices.
    rounds, seed, progress
        As for `experiments.digits_scaling`; a round starts fresh ranks.
    device : str
        "rank", or a name that `gpu` returns.

    Returns
    -------
    ScalingRun
        For each side n the phases "host, n", "device, n", "there and back, n" (the three
        matrices carried, nothing computed) and "offloaded, n" (all of it). One worker for a GPU,
        two for a rank.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if device != "rank" and device != gpu():
        raise ValueError(f"device must be 'rank' or {gpu()!r}, got {device!r}")
    workers = 2 if device == "rank" else 1
    block = rank_block if device == "rank" else partial(gpu_block, device)
    taken = _measured({workers: partial(_joined, workers, block, sides)}, rounds, seed, progress)
    parameters = {"device": device, "device_threads": _threads(), "threads": 1, "seed": seed}
    return taken.run("offload", parameters)


def sides_of(run: ScalingRun) -> list[int]:
    """Return the sides of a run, rising."""
    return sorted({int(phase.split(", ")[1]) for phase in run.phases})


def seconds(run: ScalingRun, phase: str, side: int) -> np.ndarray:
    """Return the times of one phase at one side."""
    return run.seconds(run.timings[0].workers, f"{phase}, {side}")


def carried_bytes(side: int) -> int:
    """Return the bytes of the three matrices that are carried."""
    return 3 * FLOAT * side * side


def speedups(run: ScalingRun, sides: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """Return host over offloaded time, predicted from the parts and measured, sides x rounds."""
    sides = list(sides or sides_of(run))
    host, device, carried, offloaded = (
        np.array([seconds(run, phase, side) for side in sides]) for phase in PHASES
    )
    return {"predicted": host / (carried + device), "measured": host / offloaded}


def break_even(run: ScalingRun, rng: np.random.Generator, draws: int = 1000) -> Interval:
    """Return the side from which on offloading pays, predicted from four typical times.

    Host and device rates are those at the largest side. The straight line of the transfer goes
    through the times of the smallest and the largest.

    Parameters
    ----------
    run : ScalingRun
        Of `offload_run`.
    rng : numpy.random.Generator
        Source of the draws behind the interval.
    draws : int
        Draws of plausible typical times, as of `statistics.pivotal_draws`.

    Returns
    -------
    Interval
        Its end is inf where the device may be no faster than the host.
    """
    small, large = sides_of(run)[0], sides_of(run)[-1]
    chosen = (("host", large), ("device", large), ("there and back", small))
    chosen = [seconds(run, *each) for each in (*chosen, ("there and back", large))]
    typical = [mean_time_interval(each).estimate for each in chosen]
    drawn = [pivotal_draws(each, draws, rng) for each in chosen]
    found = [_break_even(small, large, *each) for each in zip(*drawn, strict=True)]
    low, high = np.quantile(found, (0.025, 0.975), method="nearest")
    return Interval(_break_even(small, large, *typical), low, high)


def _break_even(
    small: int, large: int, host: float, device: float, near: float, far: float
) -> float:
    beta = max((far - near) / (carried_bytes(large) - carried_bytes(small)), 0.0)
    alpha = max(near - beta * carried_bytes(small), 0.0)
    return laws.break_even_side(2 * large**3 / host, host / device, alpha, beta)


# What a rank runs ------------------------------------------------------------------------------


def _threads() -> int:
    return max(1, int(usable_cores()))


def _joined(workers: int, block: Callable, sides: Sequence[int]) -> dict[str, float]:
    ranks = run_ranks(block, workers, tuple(sides))
    return {name: value for rank in ranks for name, value in rank.items()}


def rank_block(sides: Sequence[int]) -> dict[str, float]:
    """Time every phase; rank 0 is the host and rank 1 the device."""
    found: dict[str, float] = {}
    host = dist.get_rank() == 0
    if not host:
        torch.set_num_threads(_threads())
    for side in sides:
        left, right, out = (torch.full((side, side), 0.5) for _ in range(3))
        product = partial(torch.mm, left, right, out=out)
        for name, here in (("host", host), ("device", not host)):
            dist.barrier()  # the other rank waits and leaves the cores alone
            if here:
                found[f"{name}, {side}"] = median_turn(product, 0.02)
        for name, compute in (("there and back", False), ("offloaded", True)):
            times = [
                _visit(left, right, out, product if compute else None) for _ in range(1 + TURNS)
            ]
            if host:
                found[f"{name}, {side}"] = float(np.median(times[1:]))
    return found


def _visit(
    left: torch.Tensor, right: torch.Tensor, out: torch.Tensor, work: Callable | None
) -> float:
    """Carry two matrices to rank 1 and one back; return the host's seconds."""
    dist.barrier()
    start = perf_counter()
    if dist.get_rank() == 0:
        dist.send(left, 1)
        dist.send(right, 1)
        dist.recv(out, 1)
    else:
        dist.recv(left, 0)
        dist.recv(right, 0)
        if work is not None:
            work()
        dist.send(out, 0)
    return perf_counter() - start


def gpu_block(device: str, sides: Sequence[int]) -> dict[str, float]:
    """Time every phase with a GPU as the device; "cpu" stands in for one where there is none."""
    waits = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
    wait = waits.get(device, lambda: None)
    found: dict[str, float] = {}
    for side in sides:
        left, right = (torch.full((side, side), 0.5) for _ in range(2))
        there = [each.to(device) for each in (left, right)]

        def on_device(there: list[torch.Tensor] = there) -> None:
            torch.mm(*there)
            wait()

        def carry(left: torch.Tensor = left, right: torch.Tensor = right) -> None:
            left.to(device)
            right.to(device).cpu()
            wait()

        def offloaded(left: torch.Tensor = left, right: torch.Tensor = right) -> None:
            torch.mm(left.to(device), right.to(device)).cpu()

        turns = (partial(torch.mm, left, right), on_device, carry, offloaded)
        for name, turn in zip(PHASES, turns, strict=True):
            found[f"{name}, {side}"] = median_turn(turn, 0.02)
    return found
