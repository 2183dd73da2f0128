"""Every strategy is the serial training, cut another way: the same numbers come out."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.strategies import (
    Column,
    EmbeddingSharded,
    Hybrid,
    LayerPlacement,
    Pipeline,
    Row,
    Strategy,
    TensorParallel,
    Zero1,
    Zero2,
    by_torch,
)
from amdahl_lab.schedule import gpipe, one_forward_one_backward

STEPS = 6
FEATURES = 5
# Sums in another order differ in the last bits of a float64; a wrong weight of one sample in
# eleven, or one gradient left out, moves a parameter by more than 1e-4.
TOLERANCE = 1e-12
# Adam divides by the root of squared gradients: where one is near zero, last bits grow.
ADAM_TOLERANCE = 1e-9


# What is trained ------------------------------------------------------------------------------


def layers() -> nn.Sequential:
    """Return widths that two, three and four do not divide, tied ends, and a frozen middle."""
    model = nn.Sequential(
        nn.Linear(FEATURES, 7),
        nn.Tanh(),
        nn.Linear(7, 7).requires_grad_(False),
        nn.Tanh(),
        nn.Linear(7, FEATURES),
        nn.Tanh(),
        nn.Linear(FEATURES, 7),
        nn.LayerNorm(7),
        nn.Linear(7, 1),
    )
    model[6].weight = model[0].weight  # tied, and far apart
    return model


def frozen_start() -> nn.Sequential:
    """Return layers the first of which are not trained."""
    return nn.Sequential(
        nn.Linear(FEATURES, 7).requires_grad_(False),
        nn.Tanh(),
        nn.Linear(7, 6),
        nn.Tanh(),
        nn.Linear(6, 6),
        nn.Tanh(),
        nn.Linear(6, 1),
    )


class Attention(nn.Module):
    """Four heads, two features each, over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(8, 8) for _ in range(3))
        self.out = nn.Linear(8, 8)

    def forward(self, inputs):
        query, key, value = (
            project(inputs).unflatten(2, (-1, 2)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        weights = (query @ key.transpose(2, 3)).softmax(3)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention and a perceptron, each added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.norm = Attention(), nn.LayerNorm(8)
        self.up, self.down = nn.Linear(8, 9), nn.Linear(9, 8)

    def forward(self, inputs):
        between = inputs + self.attention(inputs)
        return between + self.down(torch.tanh(self.up(self.norm(between))))


def blocks() -> nn.Sequential:
    """Return a small transformer: tied matrices, whole and cut, a frozen one that is cut."""
    model = nn.Sequential(
        nn.Unflatten(1, (FEATURES, 1)),
        nn.Linear(1, 8),
        Block(),
        Block(),
        nn.Flatten(),
        nn.Linear(40, 1),
    )
    model[3].up.weight = model[2].up.weight
    model[3].norm.weight = model[2].norm.weight
    model[2].down.requires_grad_(False)
    return model


BLOCKS_PLAN = {
    f"{block}.{name}": cut
    for block in (2, 3)
    for name, cut in {
        "attention.query": Column(2),
        "attention.key": Column(2),
        "attention.value": Column(2),
        "attention.out": Row(2),
        "up": Column(),
        "down": Row(),
    }.items()
}
# The middle of `layers` is 7 wide, and cut without its neighbour knowing.
LAYERS_PLAN = {"2": Column(), "4": Row()}


ROWS = (11, 3, 7, 7, 2)


class Tables(nn.Module):
    """Embeddings, the last of them frozen, two of them the same."""

    def __init__(self, rows=ROWS) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(each, 3) for each in rows)
        if len(rows) > 3:
            self.tables[3].weight = self.tables[2].weight
        self.tables[-1].requires_grad_(False)

    def forward(self, categories):
        return torch.stack([t(c) for t, c in zip(self.tables, categories.T, strict=True)], 1)


class Clicks(nn.Module):
    """Tables and what works on their rows."""

    def __init__(self, rows=ROWS) -> None:
        super().__init__()
        self.tables, self.columns = Tables(rows), len(rows)
        self.top = nn.Sequential(nn.Linear(3 * len(rows) + FEATURES, 4), nn.Tanh())
        self.out = nn.Linear(4, 1)

    def forward(self, inputs, categories):
        rows = self.tables(categories[:, : self.columns])
        return self.out(self.top(torch.cat([inputs, rows.flatten(1)], 1)))


class FewClicks(Clicks):
    """Fewer tables than some numbers of ranks."""

    def __init__(self) -> None:
        super().__init__(ROWS[:2])


def loss(model, batch):
    *inputs, targets = batch
    return nn.functional.mse_loss(model(*inputs).squeeze(1), targets)


def batches(samples: int, clicks: bool = False) -> list[tuple[torch.Tensor, ...]]:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(STEPS):
        inputs = torch.from_numpy(rng.normal(size=(samples, FEATURES)))
        targets = torch.from_numpy(rng.normal(size=samples))
        categories = torch.from_numpy(rng.integers(ROWS, size=(samples, len(ROWS))))
        found.append((inputs, categories, targets) if clicks else (inputs, targets))
    return found


def sgd(model) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05, 0.9)


def slow_sgd(model) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.01)


def adamw(model) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 0.01)


# How it is trained ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One strategy on one model; `cut` takes model, optimizer and loss."""

    cut: Callable[..., Strategy]
    model: Callable[[], nn.Module] = layers
    samples: int = 11
    optimizer: Callable[[nn.Module], torch.optim.Optimizer] = sgd
    ranks: tuple[int, ...] = (1, 2, 3, 4)
    tolerance: float = TOLERANCE

    @property
    def batches(self) -> list[tuple[torch.Tensor, ...]]:
        return batches(self.samples, self.model in (Clicks, FewClicks))


CASES = {
    "zero 1": Case(Zero1),
    "zero 1, few samples": Case(Zero1, samples=3),
    "zero 1, adam": Case(Zero1, optimizer=adamw, tolerance=ADAM_TOLERANCE),
    "zero 2": Case(Zero2),
    "zero 2, few samples": Case(Zero2, samples=3),
    "zero 2, adam": Case(Zero2, optimizer=adamw, tolerance=ADAM_TOLERANCE),
    "tensor": Case(functools.partial(TensorParallel, plan=LAYERS_PLAN)),
    "tensor, blocks": Case(
        functools.partial(TensorParallel, plan=BLOCKS_PLAN), blocks, optimizer=slow_sgd
    ),
    "gpipe": Case(functools.partial(Pipeline, order=gpipe)),
    "1f1b": Case(functools.partial(Pipeline, order=one_forward_one_backward)),
    "1f1b, frozen start": Case(functools.partial(Pipeline, micro_batches=5), frozen_start),
    "1f1b, few samples": Case(functools.partial(Pipeline, micro_batches=8), samples=3),
    "1f1b, uneven stages": Case(functools.partial(Pipeline, layers=(1, 8)), ranks=(2,)),
    "1f1b, blocks": Case(functools.partial(Pipeline, micro_batches=2), blocks, optimizer=slow_sgd),
    "placement": Case(LayerPlacement),
    "embedding": Case(EmbeddingSharded, Clicks),
    "embedding, few samples": Case(EmbeddingSharded, Clicks, samples=3),
    "embedding, few tables": Case(EmbeddingSharded, FewClicks),
    "data x tensor": Case(
        functools.partial(
            Hybrid, copies=2, cut=functools.partial(TensorParallel, plan=BLOCKS_PLAN)
        ),
        blocks,
        optimizer=slow_sgd,
        ranks=(2, 4),
    ),
    "data x pipeline": Case(functools.partial(Hybrid, copies=2, cut=Pipeline), ranks=(2, 4)),
    "data x pipeline, one sample": Case(
        functools.partial(Hybrid, copies=2, cut=Pipeline), samples=1, ranks=(4,)
    ),
    "fsdp": Case(by_torch.FullySharded),
    "fsdp, in parts": Case(
        functools.partial(by_torch.FullySharded, parts=("2", "4", "8")), samples=3
    ),
    "tensor by torch": Case(
        functools.partial(by_torch.TensorParallelByTorch, plan={"2": Column(), "4": Row()}),
        frozen_start,
        ranks=(1, 2, 3),
    ),
    "gpipe by torch": Case(
        functools.partial(by_torch.PipelineByTorch, order=gpipe), frozen_start, samples=12
    ),
    "1f1b by torch": Case(by_torch.PipelineByTorch, frozen_start, samples=12),
}


def trained(case: Case) -> dict:
    """Train on a rank; every rank draws parameters of its own first."""
    model = case.model().double()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    training = case.cut(model, case.optimizer(model), loss)
    parts = [training.step(batch) for batch in case.batches]
    return {"start": start, "end": training.whole_parameters(), "parts": parts}


def all_trained(names: list[str]) -> dict[str, dict]:
    return {name: trained(CASES[name]) for name in names}


def serially(case: Case, start: dict) -> tuple[dict, list[float]]:
    """Train in this process with nothing but torch."""
    model = case.model().double()
    model.load_state_dict(start)
    optimizer, losses = case.optimizer(model), []
    for batch in case.batches:
        optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {name: each.detach() for name, each in model.named_parameters()}, losses


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_every_strategy_equals_the_serial_run(workers):
    names = [name for name, case in CASES.items() if workers in case.ranks]
    ranks = run_ranks(all_trained, workers, names, seed=1)
    for name in names:
        case, found = CASES[name], [rank[name] for rank in ranks]
        start = found[0]["start"]
        if workers > 1:  # the trap: ranks that start apart
            weight = next(iter(start))
            assert not torch.equal(start[weight], found[1]["start"][weight])
        expected, losses = serially(case, start)
        for rank in found:
            assert rank["end"].keys() == expected.keys(), name
            for parameter, value in expected.items():
                torch.testing.assert_close(
                    rank["end"][parameter],
                    value,
                    rtol=0,
                    atol=case.tolerance,
                    msg=lambda told, name=name, parameter=parameter: f"{name} {parameter}: {told}",
                )
        parts = np.sum([rank["parts"] for rank in found], axis=0)
        np.testing.assert_allclose(parts, losses, rtol=0, atol=case.tolerance, err_msg=name)
        moved = max(float((expected[each] - start[each]).abs().max()) for each in expected)
        assert moved > 1e-2, name  # the tolerance is no loose one
