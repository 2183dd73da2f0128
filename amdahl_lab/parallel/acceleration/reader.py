"""The model whose parts become faster: a small transformer that reads this book's text."""

from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from amdahl_lab.parallel.one_worker.operators import seconds_in_row
from amdahl_lab.parallel.workloads import text
from amdahl_lab.parallel.workloads.transformer import transformer
from amdahl_lab.parallel.workloads.writing import CHARACTERS

LAYERS, HIDDEN, HEADS, SEQUENCE, SAMPLES = 2, 128, 4, 512, 2
LEARNED = 64  # positions of a training step, so few that the update is a part worth looking at
STEP, UPDATE = "training step", "Adam in one kernel"
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
    turns, plain.updating, start = 0, 0.0, perf_counter()
    while perf_counter() - start < seconds or turns < 3:
        plain.step()
        turns += 1
    return {
        f"{UPDATE}, in the whole": plain.updating / turns,
        STEP: seconds_in_row(plain.step, seconds),
        f"{UPDATE}, as it is": seconds_in_row(plain.optimizer.step, seconds),
        f"{UPDATE}, faster": seconds_in_row(fused.optimizer.step, seconds),
    }
