"""When each pass of a pipelined step really ran, beside what each takes by itself."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.blocks import WARM_STEPS
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import Pipeline
from amdahl_lab.parallel.strategies.stages import layers_of
from amdahl_lab.parallel.strategies.strategy import share_of
from amdahl_lab.parallel.workloads import Workload
from amdahl_lab.records import ScalingRun
from amdahl_lab.schedule import pipeline as schedule

MESSAGES = 20  # there and back, to time one


def pipeline_timeline(
    workload: Workload,
    order: Callable[[int, int], schedule.Pipeline] = schedule.one_forward_one_backward,
    micro_batches: int = 4,
    stages: int = 2,
    rounds: int = 8,
    *,
    progress: Progress = True,
) -> ScalingRun:
    """Record when each pass of a pipelined step started and ended, and what each takes by itself.

    Parameters
    ----------
    workload : Workload
        What is trained; its model must be a sequence of layers.
    order : callable
        `schedule.gpipe` or `schedule.one_forward_one_backward`.
    micro_batches, stages : int, at least 1
        Micro-batches M and workers N, each with one stage.
    rounds : int, at least 2
        Rounds that count; each takes both parts below in fresh ranks, in random order.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        At one worker "forward i" and "backward i", seconds of one pass of stage i while nobody
        else works; at N workers "message", seconds of one message between two stages, "step", and
        for each pass "i forward m starts" and "i forward m ends", seconds since the ranks left a
        barrier.
    """
    blocks = {
        1: partial(_slowest, 1, 1, passes_block, workload, stages, micro_batches),
        stages: partial(_joined, stages, timeline_block, workload, order, micro_batches),
    }
    taken = _measured(blocks, rounds, workload.seed, progress)
    parameters = {
        **workload.configuration,
        "order": order.__name__,
        "micro_batches": micro_batches,
        "threads": 1,
        "seed": workload.seed,
    }
    return taken.run(f"{workload.name}_timeline", parameters)


def measured_passes(run: ScalingRun) -> list[tuple[int, int, bool, float, float]]:
    """Return the typical passes of a recorded timeline: the median moment over the rounds.

    Parameters
    ----------
    run : ScalingRun
        As of `pipeline_timeline`.

    Returns
    -------
    list of tuples
        Of each pass its stage, its micro-batch, whether it is a backward one, and the seconds
        since the barrier at which it started and ended.
    """
    stages = max(run.workers)
    found = []
    for timing in run.timings:
        words = timing.phase.split()
        if words[-1] == "starts":
            stage, kind, m = words[:3]
            moments = [
                float(np.median(run.seconds(stages, f"{stage} {kind} {m} {end}")))
                for end in ("starts", "ends")
            ]
            found.append((int(stage), int(m), kind == "backward", *moments))
    return found


def predicted_timeline(run: ScalingRun, round_number: int | None = None) -> schedule.Timeline:
    """Return the timeline that the schedule promises from passes and messages timed alone.

    Parameters
    ----------
    run : ScalingRun
        As of `pipeline_timeline`.
    round_number : int, optional
        Whose times to take, from 0; the median over the rounds by default.
    """
    stages = max(run.workers)

    def typical(workers: int, phase: str) -> float:
        seconds = run.seconds(workers, phase)
        return float(np.median(seconds) if round_number is None else seconds[round_number])

    forward, backward = (
        [typical(1, f"{kind} {stage}") for stage in range(stages)]
        for kind in ("forward", "backward")
    )
    order = getattr(schedule, run.parameters["order"])(stages, run.parameters["micro_batches"])
    return order.timeline(forward, backward, typical(stages, "message"))


def hand_overs(run: ScalingRun) -> np.ndarray:
    """Return how long each pass that gets its input from another worker started late, in seconds.

    That is the time from the moment at which its worker was free and its input computed to its
    start: what sending, receiving and waiting for a message cost.

    Parameters
    ----------
    run : ScalingRun
        As of `pipeline_timeline`; its typical passes are taken.
    """
    stages = max(run.workers)
    order = getattr(schedule, run.parameters["order"])(stages, run.parameters["micro_batches"])
    found = {tuple(row[:3]): row[3:] for row in measured_passes(run)}
    keys = list(
        zip(
            order.stage.tolist(),
            order.micro_batch.tolist(),
            order.is_backward.tolist(),
            strict=True,
        )
    )
    late = []
    for key, before, source in zip(keys, order.graph.before, order.graph.source, strict=True):
        if source >= 0 and keys[source][0] != key[0]:
            free = found[keys[before]][1] if before >= 0 else 0.0
            late.append(found[key][0] - max(free, found[keys[source]][1]))
    return np.array(late)


def passes_block(workload: Workload, stages: int, micro_batches: int) -> dict[str, float]:
    """Return the seconds of a forward and a backward pass of each stage, one after the other."""
    parts = layers_of(workload.model(), stages)
    batch = workload.load(0)
    seconds = {f"{name} {i}": 0.0 for i in range(stages) for name in ("forward", "backward")}
    for turn in range(-1, micro_batches):  # the first is to warm up
        piece, weight = share_of(batch, micro_batches, max(turn, 0))
        inputs, outputs = [piece[0]], []
        for i, layers in enumerate(parts):
            start = time.perf_counter()
            last = i == stages - 1
            run = (
                weight * workload.loss(layers, (inputs[i], *piece[1:]))
                if last
                else layers(inputs[i])
            )
            seconds[f"forward {i}"] += (time.perf_counter() - start) * (turn >= 0)
            outputs.append(run)
            inputs.append(run.detach().requires_grad_())
        for i in reversed(range(stages)):
            start = time.perf_counter()
            outputs[i].backward(None if i == stages - 1 else inputs[i + 1].grad)
            seconds[f"backward {i}"] += (time.perf_counter() - start) * (turn >= 0)
    return {name: total / micro_batches for name, total in seconds.items()}


def timeline_block(
    workload: Workload, order: Callable[[int, int], schedule.Pipeline], micro_batches: int
) -> dict[str, float]:
    """Return the moments of this rank's passes in one step, and the seconds of a message."""
    model, batch = workload.model(), workload.load(0)
    training = Pipeline(
        model, workload.optimizer(model), workload.loss, micro_batches=micro_batches, order=order
    )
    for _ in range(WARM_STEPS):
        training.step(batch)
    training.timeline.restart()
    start = time.perf_counter()
    training.step(batch)
    seconds = {"step": time.perf_counter() - start}
    for phase in training.timeline.phases:
        if phase.name in ("forward", "backward"):
            name = f"{training.rank} {phase.name} {phase.micro_batch}"
            seconds |= {f"{name} starts": phase.start, f"{name} ends": phase.end}
    share, _ = share_of(batch, micro_batches, 0)
    crossing = training.stage.arriving(share[0].shape, share[0].dtype)
    if training.stage.first:
        with torch.no_grad():
            crossing = training.stage.layers(share[0])
    return seconds | {"message": _message(crossing)}


def _message(tensor: torch.Tensor) -> float:
    """Return half the seconds of a message from rank 0 to rank 1 and back, on every rank."""
    dist.barrier()
    start = time.perf_counter()
    for _ in range(MESSAGES if dist.get_rank() < 2 else 0):
        for sender in (0, 1):
            if dist.get_rank() == sender:
                dist.send(tensor, 1 - sender)
            else:
                dist.recv(tensor, sender)
    seconds = torch.tensor((time.perf_counter() - start) / (2 * MESSAGES))
    dist.all_reduce(seconds, dist.ReduceOp.MAX)
    return seconds.item()


def _joined(workers: int, block: Callable, *args: object) -> dict[str, float]:
    """Run one block in fresh ranks; what several ranks tell is the slowest one's."""
    told: dict[str, float] = {}
    for rank in run_ranks(block, workers, *args):
        for phase, seconds in rank.items():
            told[phase] = max(seconds, told.get(phase, 0.0))
    return told
