"""Tensor parallelism: every rank works on all samples with its part of each cut matrix."""

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.cuts import Column, Row, cut_parameters, joined
from amdahl_lab.parallel.strategies.linear_parts import (
    ColumnLinear,
    RowLinear,
    SumBackward,
    SumForward,
)
from amdahl_lab.parallel.strategies.model_parallel import ModelParallel
from amdahl_lab.parallel.strategies.strategy import Batch, Loss


class TensorParallel(ModelParallel):
    """Cut linear layers over the ranks; all else every rank does alike.

    A column-cut layer gives each rank some of the outputs; a row-cut one, behind it, takes just
    these as its inputs and sums what the ranks make of them. So the pair costs one all-reduce on
    the way forward and, on the way back, one where its input entered. Layers that share one input,
    as query, key and value do, share that all-reduce.

    Parameters
    ----------
    model, optimizer, loss, group
        As for `Strategy`. Nothing in `model` may draw random numbers, which would tell ranks apart.
    plan : mapping of str to Column or Row
        How to cut each linear layer of `model`, by its name there.

    Raises
    ------
    ValueError
        If a name in the plan is none of a linear layer, or a layer does not cut as the plan says.

    References
    ----------
    Shoeybi et al., "Megatron-LM", arXiv:1909.08053, section 3.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        plan: Mapping[str, Column | Row],
        group: dist.ProcessGroup | None = None,
    ) -> None:
        super().__init__(model, optimizer, loss, group)
        self.cut_along = cut_parameters(model, plan, self.workers, self.rank)
        self.entered: tuple[Tensor, Tensor] | None = None
        for name, cut in plan.items():
            linear = model.get_submodule(name)
            column = isinstance(cut, Column)
            part = ColumnLinear(linear, self._enter) if column else RowLinear(linear, self._leave)
            model.set_submodule(name, part)

    def gradients(self, batch: Batch, weight: float = 1.0) -> float:
        """Add the gradients of the weighted mean loss; return this rank's part of it."""
        with self.timeline.phase("forward"):
            loss = weight * self.loss(self.model, batch)
        self.entered = None
        with self.timeline.phase("backward"):
            loss.backward()
        return loss.item() / self.workers

    def _enter(self, inputs: Tensor) -> Tensor:
        if self.entered is None or self.entered[0] is not inputs:
            self.entered = inputs, SumBackward.apply(inputs, self._add_up)
        return self.entered[1]

    def _leave(self, shares: Tensor) -> Tensor:
        return SumForward.apply(shares, self._add_up)

    def _add_up(self, tensor: Tensor) -> None:
        self.traffic.all_reduce(tensor, self.group)

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        return joined(super().whole_parameters(), self.cut_along, self.group)
