"""What ranks wait for: the link, the slowest of them, and the input."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.machine import load_average, this_machine
from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.links import all_reduce_times
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import Workload, digits
from amdahl_lab.parallel.workloads.shaped import shaped
from amdahl_lab.records import Scalar, ScalingRun, Timing

LINK_SIZES = (*(4096 * 4**power for power in range(6)), 8 << 20)  # 4 KiB to 8 MiB
SMALL = 4096  # bytes of a small message
SLOWER = (0.0, 0.1, 0.25, 0.5, 1.0)
WIDTHS = (16, 64, 128, 256, 512)


def links_run(
    sizes: Sequence[int] = LINK_SIZES,
    workers: int = 2,
    rounds: int = 20,
    *,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time all-reduces of several sizes, as `links.all_reduce_times` does, and keep the record.

    Parameters
    ----------
    sizes, workers, rounds, seed
        As for `links.all_reduce_times`.
    progress : bool or callable
        Taken so that it is called as all experiments are; a round is too short to show.

    Returns
    -------
    ScalingRun
        Seconds of one all-reduce; the phases are named "4096 bytes" and so on.
    """
    started, load = datetime.now(UTC), load_average()
    times = all_reduce_times(sizes, workers, rounds, seed=seed)
    timings = [Timing(workers, f"{size} bytes", tuple(row)) for size, row in times.items()]
    return _within_one_run("all_reduce", timings, {"threads": 1, "seed": seed}, started, load)


def seconds_by_size(run: ScalingRun, workers: int = 2) -> dict[int, np.ndarray]:
    """Return the times of a `links_run` as `fitting_communication` takes them."""
    return {int(phase.split()[0]): run.seconds(workers, phase) for phase in run.phases}


def straggler_runs(
    slower: Sequence[float] = SLOWER,
    workers: int = 2,
    rounds: int = 8,
    *,
    batch: int = 1024,
    steps: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> dict[float, ScalingRun]:
    """Train data parallel while rank 0 has more to do than the others.

    Parameters
    ----------
    slower : sequence of float, at least 0
        How much more: 0.1 gives rank 0 a tenth more images to work through. What it works out
        for them counts for nothing, so that training is the same.
    workers, rounds, batch, steps, seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    dict of float to ScalingRun
        For each amount the phases "step"; "compute", the step of the slowest rank without
        synchronisation; "fastest", that of the fastest; "alone", that of rank 0 while the others
        rest; "apart", by how much the ranks' times in one step differ; "serial", what a rank does
        whatever its share.
    """
    workload = digits("medium", batch, seed)
    blocks = {
        amount: partial(_straggling, workers, workload, steps, float(amount)) for amount in slower
    }
    taken = _measured(blocks, rounds, seed, progress)
    fixed = {**workload.configuration, "steps": steps, "threads": 1, "seed": seed}
    return {
        amount: taken.run("straggler", {"slower": float(amount), **fixed}, {workers: amount})
        for amount in slower
    }


def _straggling(workers: int, workload: Workload, steps: int, slower: float) -> dict[str, float]:
    ranks = run_ranks(straggler_block, workers, workload, steps, slower)
    slowest = {phase: max(rank[phase] for rank in ranks) for phase in ranks[0]}
    return {**slowest, "fastest": min(rank["compute"] for rank in ranks)}


def straggler_block(workload: Workload, steps: int, slower: float) -> dict[str, float]:
    """Time steps on this rank; rank 0 works through more images, for nothing."""
    model = workload.model()
    more = slower if dist.get_rank() == 0 else 0.0

    def loss(model: torch.nn.Module, batch: Sequence[torch.Tensor]) -> torch.Tensor:
        found, left = workload.loss(model, batch), round(more * len(batch[0]))
        while left > 0:  # weighed with nothing, so that the gradients stay what they are
            extra = tuple(tensor[:left] for tensor in batch)
            found = found + 0.0 * workload.loss(model, extra)
            left -= len(batch[0])
        return found

    optimizer = workload.optimizer(model)
    training = DataParallel(model, optimizer, loss)
    for number in range(WARM_STEPS):
        training.step(workload.load(number))

    def own(number: int) -> None:
        training.step(workload.load(number), synchronise=False)

    def serial(number: int) -> None:
        workload.load(number)
        optimizer.step()

    return {
        "step": seconds_per_turn(lambda n: training.step(workload.load(n)), steps),
        "compute": seconds_per_turn(own, steps),
        "alone": _while_others_rest(own, steps),
        "apart": _mean_distance(own, steps),
        "serial": seconds_per_turn(serial, steps),
    }


def _while_others_rest(turn: Callable[[int], object], turns: int) -> float:
    """Return the seconds of a turn on rank 0; the other ranks wait and return 0."""
    dist.barrier()
    start = time.perf_counter()
    if dist.get_rank() == 0:
        for number in range(turns):
            turn(number)
    seconds = (time.perf_counter() - start) / turns if dist.get_rank() == 0 else 0.0
    dist.barrier()
    return seconds


def _mean_distance(turn: Callable[[int], object], turns: int) -> float:
    """Return the mean over turns of how many seconds lie between the first and the last rank."""
    own = torch.empty(turns, dtype=torch.float64)
    for number in range(turns):
        dist.barrier()
        start = time.perf_counter()
        turn(number)
        own[number] = time.perf_counter() - start
    ranks = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(ranks, own)
    times = torch.stack(ranks)
    return float((times.amax(0) - times.amin(0)).mean())


def jitter_run(
    workers: int = 2, rounds: int = 100, *, batch: int = 256, seed: int = 0, progress: bool = True
) -> ScalingRun:
    """Time each rank's own work in every step of a training in which all wait for all.

    Parameters
    ----------
    workers : int, at least 2
        Number of workers N.
    rounds : int, at least 2
        Steps that count.
    batch, seed, progress
        As for `experiments.digits_scaling`; there is no bar.

    Returns
    -------
    ScalingRun
        A round is a step; the phases are "rank 0", "rank 1" and so on: seconds from a barrier to
        the end of that rank's forward and backward pass and update.
    """
    started, load = datetime.now(UTC), load_average()
    workload = digits("medium", batch, seed)
    ranks = run_ranks(_own_times, workers, workload, rounds)
    timings = [Timing(workers, f"rank {k}", tuple(times)) for k, times in enumerate(ranks)]
    settings = {**workload.configuration, "threads": 1, "seed": seed}
    return _within_one_run("jitter", timings, settings, started, load)


def _own_times(workload: Workload, steps: int) -> list[float]:
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    batch = workload.load(0)
    times = []
    for _ in range(10 + steps):
        dist.barrier()
        start = time.perf_counter()
        training.step(batch, synchronise=False)
        times.append(time.perf_counter() - start)
    return times[10:]


def prefetch_runs(
    widths: Sequence[int] = WIDTHS,
    rounds: int = 8,
    *,
    batch: int = 4096,
    steps: int = 3,
    seed: int = 0,
    progress: Progress = True,
) -> dict[int, ScalingRun]:
    """Train one rank with batches loaded between the steps, and by a second thread during them.

    Parameters
    ----------
    widths : sequence of int
        Widths of the network that the same input feeds: they set how long a step computes.
    rounds, batch, steps, seed, progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    dict of int to ScalingRun
        For each width the phases "load", "compute", "step" (one after the other) and
        "overlapped".
    """
    work = {width: shaped("perceptron", width, 2, batch, seed) for width in widths}
    blocks = {
        width: partial(_slowest, 1, 1, prefetch_block, each, steps) for width, each in work.items()
    }
    taken = _measured(blocks, rounds, seed, progress)
    return {
        width: taken.run(
            "prefetch",
            {**each.configuration, "steps": steps, "threads": 1, "seed": seed},
            {1: width},
        )
        for width, each in work.items()
    }


def prefetch_block(workload: Workload, steps: int) -> dict[str, float]:
    """Time loading, computing, both in turn and both at once on this rank."""
    model = workload.model()
    training = DataParallel(model, workload.optimizer(model), workload.loss)
    ready = workload.load(0)
    for _ in range(WARM_STEPS):
        training.step(ready)
    seconds = {
        "load": seconds_per_turn(workload.load, steps),
        "compute": seconds_per_turn(lambda _: training.step(ready), steps),
        "step": seconds_per_turn(lambda n: training.step(workload.load(n)), steps),
    }
    with ThreadPoolExecutor(1, initializer=partial(torch.set_num_threads, 1)) as loader:
        arriving = [loader.submit(workload.load, 0)]

        def step(number: int) -> None:
            batch = arriving.pop().result()
            arriving.append(loader.submit(workload.load, number + 1))
            training.step(batch)

        step(0)
        seconds["overlapped"] = seconds_per_turn(step, 2 * steps)
    return seconds


def _within_one_run(
    experiment: str,
    timings: Sequence[Timing],
    parameters: Mapping[str, Scalar],
    started: datetime,
    load_before: float,
) -> ScalingRun:
    """Make the record of rounds that were all taken within the same ranks."""
    return ScalingRun(
        experiment,
        this_machine(),
        tuple(timings),
        parameters,
        started.isoformat(timespec="seconds"),
        load_before,
        load_average(),
        len(timings[0].seconds),
    )
