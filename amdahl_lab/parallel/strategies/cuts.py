"""How linear layers are cut for tensor parallelism: along their outputs or their inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Column:
    """Each rank has some of a layer's outputs, and of its bias.

    Parameters
    ----------
    unit : int, at least 1
        Outputs that stay together, such as those of one attention head.
    """

    unit: int = 1
    dimension: ClassVar[int] = 0  # of the weight


@dataclass(frozen=True)
class Row:
    """Each rank has some of a layer's inputs; the bias stays whole.

    Parameters
    ----------
    unit : int, at least 1
        Inputs that stay together, such as those of one attention head.
    """

    unit: int = 1
    dimension: ClassVar[int] = 1


def cut_parameters(
    model: nn.Module, plan: Mapping[str, Column | Row], workers: int, rank: int
) -> dict[str, int]:
    """Leave in each layer of the plan only this rank's part of its parameters.

    Parameters
    ----------
    model : nn.Module
        Its parameters stay the same objects, so that what was tied or frozen still is.
    plan : mapping of str to Column or Row
        How to cut each linear layer, by name.
    workers, rank : int
        Number of parts, and which of them this rank holds. Parts differ by one unit at most.

    Returns
    -------
    dict of str to int
        For each parameter that was cut the dimension along which it was.

    Raises
    ------
    ValueError
        If a name is none of a linear layer, its units are not whole or fewer than the ranks, or it
        shares a parameter with what is cut otherwise or not at all.
    """
    along: dict[str, int] = {}
    done: dict[nn.Parameter, tuple] = {}
    names = {each: name for name, each in model.named_parameters()}
    for name, cut in plan.items():
        layer = dict(model.named_modules(remove_duplicate=False)).get(name)
        if not isinstance(layer, nn.Linear):
            raise ValueError(f"plan must name linear layers of the model, got {name!r}")
        sides = [(layer.weight, cut.dimension)]
        if layer.bias is not None and isinstance(cut, Column):
            sides.append((layer.bias, 0))
        for parameter, dimension in sides:
            if done.setdefault(parameter, (dimension, cut.unit)) != (dimension, cut.unit):
                raise ValueError(f"plan must cut tied parameters alike, not so {name!r}")
            if names[parameter] not in along:
                along[names[parameter]] = dimension
                parameter.data = _part(name, parameter, dimension, cut.unit, workers, rank)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if parameter in done and name.rpartition(".")[0] not in plan:
            raise ValueError(
                f"plan must cut everything that shares a parameter, not without {name!r}"
            )
    return along


def joined(
    parts: Mapping[str, Tensor], along: Mapping[str, int], group: dist.ProcessGroup | None
) -> dict[str, Tensor]:
    """Collect from all ranks what `cut_parameters` took apart."""
    everyone: list = [None] * dist.get_world_size(group)
    dist.all_gather_object(everyone, {name: parts[name] for name in along}, group=group)
    whole = {name: torch.cat([each[name] for each in everyone], along[name]) for name in along}
    return {**parts, **whole}


def _part(
    name: str, parameter: Tensor, dimension: int, unit: int, workers: int, rank: int
) -> Tensor:
    size = parameter.shape[dimension]
    if size % unit or size // unit < workers:
        raise ValueError(
            f"plan must cut {name!r}, {size} wide, into units of {unit}, at least one for each of "
            f"{workers} ranks"
        )
    units = torch.arange(size).view(-1, unit).tensor_split(workers)[rank].flatten()
    return parameter.detach().index_select(dimension, units)
