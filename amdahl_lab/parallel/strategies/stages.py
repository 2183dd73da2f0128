"""How a sequence of layers is dealt out over the stages of a pipeline."""

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.traffic import Traffic
from amdahl_lab.schedule.pipeline import Pipeline

Order = Callable[[int, int], Pipeline]


@dataclass(frozen=True)
class Stage:
    """What one rank of a pipeline holds.

    Parameters
    ----------
    layers : nn.Sequential
        Its layers.
    first, last : bool
        Whether no stage is before, or behind it.
    arriving : callable
        ``arriving(shape, dtype)`` makes room for what the stages before make of such a batch.
    ties : list of (nn.Parameter, list of int)
        Trained parameters that other stages have a copy of too, with all stages that do.
    """

    layers: nn.Sequential
    first: bool
    last: bool
    arriving: Callable[[torch.Size, torch.dtype], Tensor]
    ties: list[tuple[nn.Parameter, list[int]]]


def take_stage(
    model: nn.Sequential,
    layers: Sequence[int] | None,
    rank: int,
    workers: int,
) -> Stage:
    """Keep one stage of a model and let go of the parameters of all others.

    Parameters
    ----------
    model : nn.Sequential
        All layers.
    layers : sequence of int or None
        Layers of each stage; as nearly as possible the same number by default.
    rank, workers : int
        Which stage, and of how many.

    Raises
    ------
    ValueError
        If the model is no sequence, or the numbers do not add up to its layers or leave one out.
    """
    stages = layers_of(model, workers, layers)
    own = stages[rank]
    stage = Stage(
        layers=own,
        first=rank == 0,
        last=rank == workers - 1,
        arriving=_room_after(nn.Sequential(*stages[:rank])),
        ties=_ties(stages, rank),
    )
    free_all_but(own, model)
    return stage


def layers_of(
    model: nn.Sequential, stages: int, layers: Sequence[int] | None = None
) -> list[nn.Sequential]:
    """Cut a model into stages, in order; arguments and errors are those of `take_stage`."""
    if not isinstance(model, nn.Sequential):
        raise ValueError(f"model must be an nn.Sequential to be cut, got {type(model).__name__}")
    if layers is None:
        each, more = divmod(len(model), stages)
        layers = [each + (stage < more) for stage in range(stages)]
    if len(layers) != stages or min(layers) < 1 or sum(layers) != len(model):
        raise ValueError(
            f"layers must be {stages} numbers, each at least 1, that add up to {len(model)}, "
            f"got {list(layers)}"
        )
    ends = [sum(layers[: stage + 1]) for stage in range(stages)]
    return [model[end - count : end] for end, count in zip(ends, layers, strict=True)]


@functools.cache
def passes(order: Order, stages: int, micro_batches: int, stage: int) -> list[tuple[bool, int]]:
    """Return one stage's passes in order: whether it is a backward one, and its micro-batch."""
    plan = order(stages, micro_batches)
    own = plan.stage == stage
    return list(zip(plan.is_backward[own].tolist(), plan.micro_batch[own].tolist(), strict=True))


def free_all_but(kept: nn.Module, model: nn.Module) -> None:
    """Let go of the memory of all parameters and buffers of `model` that are not in `kept`."""
    names = {*kept.parameters(), *kept.buffers()}
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor not in names:
            tensor.data = tensor.data.new_empty(0)


def merged(own: Mapping[str, Tensor], group: dist.ProcessGroup | None) -> dict[str, Tensor]:
    """Collect from all ranks what this one has let go."""
    held = {name: tensor for name, tensor in own.items() if tensor.numel()}
    everyone: list = [None] * dist.get_world_size(group)
    dist.all_gather_object(everyone, held, group=group)
    found = {name: tensor for each in everyone for name, tensor in each.items()}
    return {name: held.get(name, found.get(name)) for name in own}


def add_up(
    gradient: Tensor,
    holders: Sequence[int],
    rank: int,
    traffic: Traffic,
    group: dist.ProcessGroup | None,
) -> None:
    """Replace a gradient by its sum over some ranks, which send it to each other.

    All add in the same order, so that their copies of the parameter stay equal to the last bit.
    """
    own = gradient.clone()
    sent = [traffic.send(own, other, group) for other in holders if other != rank]
    parts = [
        own if other == rank else traffic.recv(torch.empty_like(own), other, group)
        for other in holders
    ]
    gradient.copy_(sum(parts))
    for message in sent:
        message.wait()


def _ties(stages: Sequence[nn.Module], rank: int) -> list[tuple[nn.Parameter, list[int]]]:
    held = [set(stage.parameters()) for stage in stages]
    holders = {
        parameter: [stage for stage, parameters in enumerate(held) if parameter in parameters]
        for parameter in stages[rank].parameters()
        if parameter.requires_grad
    }
    return [(parameter, ranks) for parameter, ranks in holders.items() if len(ranks) > 1]


def _room_after(layers: nn.Sequential) -> Callable[[torch.Size, torch.dtype], Tensor]:
    layers = copy.deepcopy(layers).to("meta")  # shapes without numbers

    @functools.cache
    @torch.no_grad()
    def outcome(shape: torch.Size, dtype: torch.dtype) -> Tensor:
        return layers(torch.empty(shape, dtype=dtype, device="meta"))

    return lambda shape, dtype: torch.empty_like(outcome(shape, dtype), device="cpu")
