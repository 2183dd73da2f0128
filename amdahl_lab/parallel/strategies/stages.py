"""How a sequence of layers is dealt out over the stages of a pipeline."""

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

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
    ties : list of (nn.Parameter, ProcessGroup)
        Trained parameters that other stages have a copy of too, with the group of them all.
    """

    layers: nn.Sequential
    first: bool
    last: bool
    arriving: Callable[[torch.Size, torch.dtype], Tensor]
    ties: list[tuple[nn.Parameter, dist.ProcessGroup]]


def take_stage(
    model: nn.Sequential,
    layers: Sequence[int] | None,
    rank: int,
    workers: int,
    group: dist.ProcessGroup | None,
) -> Stage:
    """Keep one stage of a model and let go of the parameters of all others.

    Parameters
    ----------
    model : nn.Sequential
        All layers.
    layers : sequence of int or None
        Layers of each stage; as nearly as possible the same number by default.
    rank, workers, group
        Which stage, of how many, on which ranks.

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
        ties=_ties(stages, rank, group),
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


def _ties(
    stages: Sequence[nn.Module], rank: int, group: dist.ProcessGroup | None
) -> list[tuple[nn.Parameter, dist.ProcessGroup]]:
    ties = []
    held = [set(stage.parameters()) for stage in stages]
    for parameter in stages[rank].parameters():
        holders = [stage for stage, parameters in enumerate(held) if parameter in parameters]
        if len(holders) > 1 and parameter.requires_grad:
            ranks = [dist.get_process_group_ranks(group)[stage] for stage in holders]
            ties.append((parameter, dist.new_group(ranks, use_local_synchronization=True)))
    return ties


def _room_after(layers: nn.Sequential) -> Callable[[torch.Size, torch.dtype], Tensor]:
    layers = copy.deepcopy(layers).to("meta")  # shapes without numbers

    @functools.cache
    @torch.no_grad()
    def outcome(shape: torch.Size, dtype: torch.dtype) -> Tensor:
        return layers(torch.empty(shape, dtype=dtype, device="meta"))

    return lambda shape, dtype: torch.empty_like(outcome(shape, dtype), device="cpu")
