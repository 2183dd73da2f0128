"""The same training steps with 32-bit and with 16-bit numbers: time, memory and loss.

Mixed precision as PyTorch offers it: parameters and updates in 32 bits, products in bfloat16.
"""

from contextlib import nullcontext
from functools import partial

import torch
from torch import nn

from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies.memory import KeptActivations
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.parallel.workloads.protocol import Workload
from amdahl_lab.parallel.workloads.shaped import shaped
from amdahl_lab.records import ScalingRun

WAYS = ("float32", "bfloat16")
LEARNING_STEPS = 200


def precision_run(
    rounds: int = 8,
    *,
    width: int = 512,
    depth: int = 4,
    batch: int = 512,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time steps of a perceptron in both precisions; count what they keep; train the digits.

    Parameters
    ----------
    rounds, seed, progress
        As for `experiments.digits_scaling`.
    width, depth, batch : int
        The perceptron that is timed.

    Returns
    -------
    ScalingRun
        One worker with one thread, and the phases "float32" and "bfloat16", seconds per step;
        "prepare" and "answer", seconds to load and distort 64 digits and to read them. The
        parameters hold the bytes that the forward pass keeps, and loss and quality of the digits
        after 200 steps, each in both precisions, and whether the processor has products of
        bfloat16.
    """
    work = shaped("perceptron", width, depth, batch, seed)
    (kept,) = run_ranks(_kept, 1, work)
    (learned,) = run_ranks(_learned, 1, seed, timeout=300.0)
    blocks = {1: partial(_slowest, 1, 1, precision_block, work, 3)}
    taken = _measured(blocks, rounds, seed, progress)
    told = {"width": width, "depth": depth, "batch": batch, "threads": 1, "seed": seed}
    return taken.run("precision", {**told, **kept, **learned, "bf16 products": has_products()})


def has_products() -> str:
    """Tell which instructions for products of bfloat16 this processor has, or "none"."""
    try:
        flags = open("/proc/cpuinfo", encoding="utf-8").read()  # noqa: SIM115
    except OSError:
        return "unknown"
    names = [name for name in ("amx_bf16", "avx512_bf16", "bf16") if f" {name}" in flags]
    return names[0] if names else "none"


def context(way: str) -> torch.autocast | nullcontext:
    """Return what products are computed inside of."""
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
    if way == "float32":
        return nullcontext()
    return torch.autocast("cpu", dtype=torch.bfloat16)


def precision_block(workload: Workload, steps: int) -> dict[str, float]:
    """Time a row of steps in each precision on this rank, and an answer and its preparation."""
    batch = workload.load(0)
    found = {}
    for way in WAYS:
        model = workload.model()
        optimizer = workload.optimizer(model)

        def step(_: int, way=way, model=model, optimizer=optimizer) -> None:
            _step(workload, model, optimizer, batch, way)

        for number in range(WARM_STEPS):
            step(number)
        found[way] = seconds_per_turn(step, steps)
    reading = digits("medium", 64)
    reader, images = reading.model().eval(), reading.load(0)[0]
    with torch.inference_mode():
        for number in range(WARM_STEPS):
            reader(images)
            reading.load(number)
        found["prepare"] = seconds_per_turn(reading.load, 10 * steps)
        found["answer"] = seconds_per_turn(lambda _: reader(images), 10 * steps)
    return found


def _step(
    workload: Workload,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: tuple[torch.Tensor, ...],
    way: str,
) -> float:
    optimizer.zero_grad()
    with context(way):
        loss = workload.loss(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def _kept(workload: Workload) -> dict[str, int]:
    """Count what the forward pass keeps for the backward pass, parameters apart."""
    found = {}
    batch = workload.load(0)
    for way in WAYS:
        model = workload.model()
        with KeptActivations([*model.parameters(), *batch]) as kept, context(way):
            loss = workload.loss(model, batch)
        found[f"kept bytes, {way}"] = kept.peak
        del loss
    return found


def _learned(seed: int) -> dict[str, float]:
    data = digits("medium", 128, seed)
    found = {}
    for way in WAYS:
        model = data.model()
        optimizer = data.optimizer(model)
        losses = [
            _step(data, model, optimizer, data.load(number), way)
            for number in range(LEARNING_STEPS)
        ]
        found[f"loss, {way}"] = round(sum(losses[-20:]) / 20, 4)
        found[f"quality, {way}"] = round(data.quality(model), 4)
    return found
