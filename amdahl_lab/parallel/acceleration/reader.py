"""The model whose parts become faster: a small transformer that reads this book's text."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from amdahl_lab.parallel.workloads import text
from amdahl_lab.parallel.workloads.transformer import transformer
from amdahl_lab.parallel.workloads.writing import CHARACTERS

LAYERS, HIDDEN, HEADS, SEQUENCE, SAMPLES = 2, 128, 4, 512, 2
LEARNED = 64  # positions of a training step, so few that the update is a part worth looking at
STEP, UPDATE = "training step", "Adam in one kernel"
WARM_TURNS, FEWEST = 2, 5


def median_turn(turn: Callable[[], object], seconds: float) -> float:
    """Time turns for so many seconds, at least a few, and return the median.

    Now and then a turn is held up for as long as all the others take; the mean would be made of it.
    """
    for _ in range(WARM_TURNS):
        turn()
    moments = [perf_counter()]
    while len(moments) <= FEWEST or moments[-1] - moments[0] < seconds:
        turn()
        moments.append(perf_counter())
    return float(np.median(np.diff(moments)))


def part_of(
    turn: Callable[[], object], spent: Callable[[], float], seconds: float
) -> tuple[float, float]:
    """Time turns and what they spend in a part; return the medians of part and whole.

    Parameters
    ----------
    turn : callable
        The whole.
    spent : callable
        Returns the seconds spent in the part so far.
    seconds : float
        How long to go on.
    """
    for _ in range(WARM_TURNS):
        turn()
    moments, parts = [perf_counter()], [spent()]
    while len(moments) <= FEWEST or moments[-1] - moments[0] < seconds:
        turn()
        moments.append(perf_counter())
        parts.append(spent())
    return float(np.median(np.diff(parts))), float(np.median(np.diff(moments)))


SHAPE = {
    "layers": LAYERS,
    "hidden": HIDDEN,
    "heads": HEADS,
    "sequence": SEQUENCE,
    "samples": SAMPLES,
}


def reader() -> nn.Module:
    """Return the model, with the same parameters on every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return transformer(LAYERS, HIDDEN, HEADS, len(CHARACTERS), SEQUENCE).eval()


def stretches() -> Tensor:
    """Return stretches of this book's text, numbered, shape (samples, sequence)."""
    workload = text("medium", batch=SAMPLES * SEQUENCE // 64)
    return workload.load(0)[0].reshape(SAMPLES, SEQUENCE)


class Learner:
    """A training step of the same model, its update timed on the way."""

    def __init__(self, fused: bool) -> None:
        self.model, self.updating = reader().train(), 0.0
        self.batch = stretches()[:1, : LEARNED + 1]
        self.optimizer = torch.optim.Adam(self.model.parameters(), foreach=False, fused=fused)

    def step(self) -> None:
        """Take a step."""
        inputs, targets = self.batch[:, :-1], self.batch[:, 1:]
        self.optimizer.zero_grad()
        cross_entropy(self.model(inputs).flatten(0, 1), targets.flatten()).backward()
        start = perf_counter()
        self.optimizer.step()
        self.updating += perf_counter() - start


def learner(fused: bool) -> Learner:
    """Return a learner that has taken its first step."""
    learner = Learner(fused)
    learner.step()
    return learner


def update_times(seconds: float) -> dict[str, float]:
    """Time the step, the update in it, and the update by itself in both forms, in rows."""
    plain, fused = learner(fused=False), learner(fused=True)
    within, around = part_of(plain.step, lambda: plain.updating, seconds)
    return {
        f"{UPDATE}, in the whole": within,
        f"{UPDATE}, around it": around,
        STEP: median_turn(plain.step, seconds),
        f"{UPDATE}, as it is": median_turn(plain.optimizer.step, seconds),
        f"{UPDATE}, faster": median_turn(fused.optimizer.step, seconds),
    }
