"""Layers against the clock: seconds of a forward pass, and of forward and backward."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter

import torch

from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker import layers
from amdahl_lab.parallel.one_worker.layers import Layer
from amdahl_lab.records import ScalingRun

ROW_SECONDS = 0.01  # of one row of turns: long beside the clock, short beside a neighbour's visit
WARM_TURNS = 2
SEQUENCES = (32, 64, 128, 256, 512, 1024)

# What the chapter sets against the clock. All in single precision, on one thread.
OPERATORS: Mapping[str, Layer] = {
    each.name: each
    for each in (
        layers.dense(),
        layers.dense(1, 2048, 2048),
        layers.convolution(),
        layers.depthwise(),
        layers.pointwise(),
        layers.attention(),
        layers.embedding(),
    )
}
BLOCKS: Mapping[str, Layer] = {
    each.name: each for each in (layers.block(1, sequence) for sequence in SEQUENCES)
}


def operator_times(
    chosen: Mapping[str, Layer] = OPERATORS,
    rounds: int = 10,
    *,
    backward: bool = True,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time layers side by side, one worker with one thread.

    Parameters
    ----------
    chosen : mapping of str to Layer
        What to time, by name.
    rounds : int, at least 2
        Rounds that count. Each is a fresh process in which every layer is timed once, in random
        order.
    backward : bool
        Also time forward and backward together.
    seed : int
        Kept with the run; the order inside a round is drawn anew.
    progress : bool or callable
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        For each layer the phases "NAME, forward" and, with `backward`, "NAME, both".
    """
    blocks = {1: partial(_slowest, 1, 1, operators_block, list(chosen.values()), backward)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("operators", {"layers": len(chosen), "threads": 1, "seed": seed})


def operators_block(chosen: Sequence[Layer], backward: bool) -> dict[str, float]:
    """Time each layer once on this rank, in random order."""
    turns: dict[str, Callable[[], object]] = {}
    for layer in chosen:
        module, inputs = layer.build(), layer.feed()
        turns[f"{layer.name}, forward"] = partial(_forward, module, inputs)
        if backward:
            turns[f"{layer.name}, both"] = partial(_both, module, inputs)
    names = list(turns)
    order = [names[place] for place in torch.randperm(len(names))]
    found = {name: seconds_in_row(turns[name]) for name in order}
    return {name: found[name] for name in names}


def seconds_in_row(turn: Callable[[], object], seconds: float = ROW_SECONDS) -> float:
    """Time one turn, on average of a row that takes about so many seconds."""
    for _ in range(WARM_TURNS):
        turn()
    start = perf_counter()
    turn()
    count = max(1, min(1000, round(seconds / (perf_counter() - start))))
    start = perf_counter()
    for _ in range(count):
        turn()
    return (perf_counter() - start) / count


def _forward(module: torch.nn.Module, inputs: torch.Tensor) -> None:
    with torch.no_grad():
        module(inputs)


def _both(module: torch.nn.Module, inputs: torch.Tensor) -> None:
    if inputs.is_floating_point():
        inputs = inputs.detach().requires_grad_()
    wanted = [*module.parameters(), *([inputs] if inputs.requires_grad else [])]
    torch.autograd.grad(module(inputs).sum(), wanted)
