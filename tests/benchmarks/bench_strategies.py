"""Layers placed on two workers, and micro-batches pipelined over them, beside one worker.

    python tests/benchmarks/bench_strategies.py

Rounds are interleaved in random order; a block is a row of steps in fresh ranks of one thread
each, and the slowest rank's time counts. Speedups are ratios of the same rounds, with Student's
interval on their logarithms; the end that is worse for the claim stands beside the goal.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from amdahl_lab.machine import load_average, usable_cores
from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.blocks import WARM_STEPS, seconds_per_turn
from amdahl_lab.parallel.strategies import LayerPlacement, Pipeline
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.schedule import gpipe
from amdahl_lab.statistics import ratio_interval
from amdahl_lab.timing import measure

ROUNDS, STEPS, STAGES, MICRO_BATCHES = 12, 3, 2, 8
WIDTH, PAIRS, SAMPLES = 512, 8, 512


@dataclass(frozen=True)
class Figure:
    """One figure and its goal; `at_most` says on which side of the goal it should be."""

    what: str
    value: float
    goal: float
    at_most: bool = False

    def __str__(self) -> str:
        side = "at most" if self.at_most else "at least"
        reached = self.value <= self.goal if self.at_most else self.value >= self.goal
        verdict = "reached" if reached else "NOT REACHED"
        return f"{self.what:<58} {self.value:>8.2f} {side} {self.goal:>6.2f} times  {verdict}"


def mean_square(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    inputs, targets = batch
    return nn.functional.mse_loss(model(inputs), targets)


def block(cut: Cut) -> float:
    """Return this rank's seconds per step."""
    layers = [(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(PAIRS)]
    model = nn.Sequential(*(layer for pair in layers for layer in pair))
    training = cut(model, torch.optim.SGD(model.parameters(), 0.01), mean_square)
    batch = torch.randn(SAMPLES, WIDTH), torch.randn(SAMPLES, WIDTH)
    for _ in range(WARM_STEPS):
        training.step(batch)
    return seconds_per_turn(lambda _: training.step(batch), STEPS)


def slowest(workers: int, cut: Cut) -> dict[str, float]:
    return {"step": max(run_ranks(block, workers, cut))}


def figures() -> list[Figure]:
    """Measure all, print the speedups with their intervals, and return those with a goal."""
    blocks = {
        "one worker": partial(slowest, 1, LayerPlacement),
        "layer placement": partial(slowest, STAGES, LayerPlacement),
        "GPipe": partial(
            slowest, STAGES, partial(Pipeline, micro_batches=MICRO_BATCHES, order=gpipe)
        ),
        "1F1B": partial(slowest, STAGES, partial(Pipeline, micro_batches=MICRO_BATCHES)),
    }
    load = load_average()
    found = measure(blocks, ROUNDS, rng=np.random.default_rng(0))
    seconds = {name: phases["step"].seconds for name, phases in found.items()}
    print(f"  ({usable_cores():g} cores, load {load:.1f} before and {load_average():.1f} after)")
    print(f"  (one worker: {1000 * np.median(seconds['one worker']):.0f} ms a step)")
    for name in blocks.keys() - {"one worker"}:
        print(f"  ({name}: speedup {ratio_interval(seconds['one worker'], seconds[name])})")
    most = STAGES * MICRO_BATCHES / (MICRO_BATCHES + STAGES - 1)
    print(f"  (with no cost but the bubble a pipeline would reach {most:.2f})")
    placed = ratio_interval(seconds["one worker"], seconds["layer placement"])
    rows = [Figure("layer placement over one worker, upper end", placed.high, 1.0, True)]
    for name in ("GPipe", "1F1B"):
        better = ratio_interval(seconds["layer placement"], seconds[name])
        rows.append(Figure(f"{name} over layer placement, lower end", better.low, 1.0))
    return rows


if __name__ == "__main__":
    for figure in figures():
        print(figure)
