"""One kind of layer of a real model made faster in several ways; the whole before and after.

The model is a small transformer that reads this book's text and gives odds for each next character.
Two wholes are looked at, an answer and a training step, each with parts of its own.
`before` times the whole and its parts as they are, and each faster part by itself. That is enough
to predict the whole. `after` then puts the faster part in and times the whole again.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from amdahl_lab.parallel.acceleration.reader import (
    SHAPE,
    STEP,
    UPDATE,
    learner,
    median_turn,
    part_of,
    reader,
    stretches,
    update_times,
)
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.one_worker.shrinking import has_int8, int8
from amdahl_lab.parallel.workloads.transformer import Attention
from amdahl_lab.records import Interval, ScalingRun
from amdahl_lab.statistics import independent_ratio_interval, mean_time_interval, ratio_interval

ROW_SECONDS = 0.06
ANSWER = "answer"  # beside `STEP`, the other whole


class FusedAttention(nn.Module):
    """The same attention, its scores worked off in blocks that never travel to memory.

    Parameters
    ----------
    attention : Attention
        What it takes its projections from.
    """

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.plain = attention

    def forward(self, inputs: Tensor) -> Tensor:
        """Map features, shape (b, s, h), to features of the same shape."""
        query, key, value = (
            project(inputs).unflatten(2, (-1, self.plain.features)).transpose(1, 2)
            for project in (self.plain.query, self.plain.key, self.plain.value)
        )
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.plain.out(seen.transpose(1, 2).flatten(2))


def _int8_layer(layer: nn.Linear) -> nn.Module:
    return int8(nn.Sequential(layer))[0]


@dataclass(frozen=True)
class Way:
    """One way to make one kind of layer faster.

    Parameters
    ----------
    part : type
        Class of the layers that become faster.
    enhance : callable
        Takes such a layer and returns the faster one.
    exact : bool
        Whether it computes the same numbers, but for rounding.
    """

    part: type[nn.Module]
    enhance: Callable[[nn.Module], nn.Module]
    exact: bool


WAYS: Mapping[str, Way] = {
    "fused attention": Way(Attention, FusedAttention, exact=True),
    "int8 in dense layers": Way(nn.Linear, _int8_layer, exact=False),
}


def available() -> tuple[str, ...]:
    """Return the names of the ways that this PyTorch and this machine have."""
    found = [name for name in WAYS if name != "int8 in dense layers" or has_int8()]
    return (*found, UPDATE)


def before(
    names: Sequence[str] | None = None,
    rounds: int = 8,
    *,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time the whole as it is, its parts in it, and each part by itself, as it is and faster.

    Parameters
    ----------
    names : sequence of str, optional
        Names of `WAYS` or `UPDATE`; all that are `available`.
    rounds, seed, progress
        As for `experiments.digits_scaling`; a round is a fresh process.

    Returns
    -------
    ScalingRun
        One worker; phases `ANSWER`, `STEP` and for each way "NAME, in the whole" and
        "NAME, around it", the part and the whole in one and the same row of turns, and
        "NAME, as it is" and "NAME, faster", the part by itself.
    """
    names = tuple(names or available())
    blocks = {1: partial(_slowest, 1, 1, before_block, names)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("parts_before", {**SHAPE, "threads": 1, "seed": seed})


def after(
    names: Sequence[str] | None = None,
    rounds: int = 8,
    *,
    seed: int = 1,
    progress: Progress = True,
) -> ScalingRun:
    """Time the whole as it is, and with each faster part in it.

    Parameters as of `before`.

    Returns
    -------
    ScalingRun
        One worker; the phases are `ANSWER`, `STEP` and the names of the ways.
    """
    names = tuple(names or available())
    blocks = {1: partial(_slowest, 1, 1, after_block, names)}
    taken = _measured(blocks, rounds, seed, progress)
    return taken.run("parts_after", {**SHAPE, "threads": 1, "seed": seed})


def ways_of(run: ScalingRun) -> tuple[str, ...]:
    """Return the names of the ways that a run holds."""
    names = (*WAYS, UPDATE)
    return tuple(name for name in names if any(phase.startswith(name) for phase in run.phases))


def whole_of(name: str) -> str:
    """Return the whole that a way belongs to, `ANSWER` or `STEP`."""
    return STEP if name == UPDATE else ANSWER


def share(run: ScalingRun, name: str) -> Interval:
    """Return the share f of the whole that the part takes, of a run of `before`."""
    return ratio_interval(
        run.seconds(1, f"{name}, in the whole"), run.seconds(1, f"{name}, around it")
    )


def factor(run: ScalingRun, name: str) -> Interval:
    """Return how many times as fast the part is by itself, k, of a run of `before`."""
    return ratio_interval(run.seconds(1, f"{name}, as it is"), run.seconds(1, f"{name}, faster"))


def predicted(run: ScalingRun, name: str) -> Interval:
    """Return the speedup of the whole that f and k promise, of a run of `before`.

    S = 1 / ((1 - f) + f / k) in every round.
    """
    return mean_time_interval(_promised(run, name))


def measured(run: ScalingRun, name: str) -> Interval:
    """Return the speedup of the whole, of a run of `after`."""
    return mean_time_interval(_found(run, name))


def kept(promise: ScalingRun, found: ScalingRun, name: str) -> Interval:
    """Return the measured over the predicted speedup, of a run of `before` and one of `after`.

    The two share no rounds, so the noise of both is in the interval.
    """
    return independent_ratio_interval(_found(found, name), _promised(promise, name))


def largest_difference(name: str) -> float:
    """Return by how much the odds of a model with the faster part differ, as logarithms.

    Raises
    ------
    ValueError
        If the name is none of `WAYS`.
    """
    if name not in WAYS:
        raise ValueError(f"name must be of {', '.join(WAYS)}, got {name!r}")
    model, characters = reader(), stretches()
    with torch.inference_mode():
        plain, fast = (
            each(characters).log_softmax(2) for each in (model, enhanced(model, WAYS[name]))
        )
    return float((plain - fast).abs().max())


def enhanced(model: nn.Module, way: Way) -> nn.Module:
    """Return a copy of a model with every layer of the part replaced by the faster one."""
    model = copy.deepcopy(model)
    for parent, name in _places(model, way.part):
        setattr(parent, name, way.enhance(getattr(parent, name)))
    return model.eval()


def _promised(run: ScalingRun, name: str) -> np.ndarray:
    whole, part = (run.seconds(1, f"{name}, {of}") for of in ("around it", "in the whole"))
    less = run.seconds(1, f"{name}, faster") / run.seconds(1, f"{name}, as it is")
    return whole / (whole - part + part * less)


def _found(run: ScalingRun, name: str) -> np.ndarray:
    return run.seconds(1, whole_of(name)) / run.seconds(1, name)


# What a rank runs ------------------------------------------------------------------------------


def before_block(names: Sequence[str]) -> dict[str, float]:
    """Time the whole and its parts on this rank."""
    model, characters = reader(), stretches()
    found: dict[str, float] = {}
    with torch.inference_mode():
        found[ANSWER] = median_turn(partial(model, characters), ROW_SECONDS)
        for name in set(names) - {UPDATE}:
            found |= _part(model, characters, name)
    return found | update_times(ROW_SECONDS)


def after_block(names: Sequence[str]) -> dict[str, float]:
    """Time the whole with each faster part in it on this rank, in random order."""
    model, characters = reader(), stretches()
    models = {ANSWER: model}
    models |= {name: enhanced(model, WAYS[name]) for name in names if name != UPDATE}
    turns: dict[str, Callable[[], object]] = {
        name: partial(torch.inference_mode()(each), characters) for name, each in models.items()
    }
    turns |= {STEP: learner(fused=False).step, UPDATE: learner(fused=True).step}
    order = [list(turns)[place] for place in torch.randperm(len(turns))]
    found = {name: median_turn(turns[name], ROW_SECONDS) for name in order}
    return {name: found[name] for name in turns}


def _part(model: nn.Module, characters: Tensor, name: str) -> dict[str, float]:
    way = WAYS[name]
    layers = [getattr(parent, place) for parent, place in _places(model, way.part)]
    inputs: dict[int, Tensor] = {}
    spent, since = [0.0], [0.0]

    def enters(layer: nn.Module, arguments: tuple[Tensor]) -> None:
        inputs[id(layer)] = arguments[0]
        since[0] = perf_counter()

    def leaves(*_: object) -> None:
        spent[0] += perf_counter() - since[0]

    hooks = [layer.register_forward_pre_hook(enters) for layer in layers]
    hooks += [layer.register_forward_hook(leaves) for layer in layers]
    within, around = part_of(partial(model, characters), lambda: spent[0], ROW_SECONDS)
    for hook in hooks:
        hook.remove()
    faster = [way.enhance(copy.deepcopy(layer)) for layer in layers]
    fed = [inputs[id(layer)].clone() for layer in layers]

    def in_turn(chosen: Sequence[nn.Module]) -> None:
        for layer, each in zip(chosen, fed, strict=True):
            layer(each)

    return {
        f"{name}, in the whole": within,
        f"{name}, around it": around,
        f"{name}, as it is": median_turn(partial(in_turn, layers), ROW_SECONDS),
        f"{name}, faster": median_turn(partial(in_turn, faster), ROW_SECONDS),
    }


def _places(model: nn.Module, kind: type[nn.Module]) -> list[tuple[nn.Module, str]]:
    return [
        (parent, name)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, kind)
    ]
