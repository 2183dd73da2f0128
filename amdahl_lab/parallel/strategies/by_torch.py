"""What PyTorch itself offers, behind the same interface: to lay beside the strategies by hand."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel

from amdahl_lab.parallel.strategies.cuts import Column, Row
from amdahl_lab.parallel.strategies.memory import tensor_bytes
from amdahl_lab.parallel.strategies.observed import ObservedTraffic
from amdahl_lab.parallel.strategies.stages import free_all_but, layers_of, merged
from amdahl_lab.parallel.strategies.strategy import (
    Batch,
    Loss,
    Strategy,
    share_of,
    update_only,
)
from amdahl_lab.parallel.strategies.traffic import Traffic
from amdahl_lab.schedule.pipeline import Pipeline, gpipe, one_forward_one_backward


class ByTorch(Strategy):
    """A strategy whose collectives PyTorch calls.

    They are counted in a `watched_step` only, so `traffic` tells of watched steps alone.
    """

    def watched_step(self, batch: Batch) -> float:
        """Take a step as `step` does, set `memory`, and count what is sent."""
        with ObservedTraffic(self.traffic):
            return super().watched_step(batch)

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        own = super().whole_parameters()
        return {
            name: each.full_tensor() if hasattr(each, "full_tensor") else each
            for name, each in own.items()
        }


class DataParallelByTorch(ByTorch):
    """DDP: the library's data parallelism, with buckets and overlap.

    Parameters
    ----------
    model, optimizer, loss
        As for `Strategy`.
    bucket_bytes : int, optional
        About how much one bucket holds; the library's own choice by default.
    compression : callable, optional
        ``compression(traffic)`` returns the state and the hook that send a bucket in place of a
        plain all-reduce, as in `strategies.compression`; what they send, `traffic` counts.

    References
    ----------
    Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training",
    arXiv:2006.15704.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        bucket_bytes: int | None = None,
        compression: Callable[[Traffic], tuple[Any, Callable]] | None = None,
    ) -> None:
        super().__init__(model, optimizer, loss)
        megabytes = None if bucket_bytes is None else bucket_bytes / 2**20
        self.wrapped = DistributedDataParallel(model, bucket_cap_mb=megabytes, init_sync=False)
        if compression is not None:
            self.wrapped.register_comm_hook(*compression(self.traffic))

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share, weight = share_of(batch, self.workers, self.rank)
        self.optimizer.zero_grad()
        loss = weight * self.loss(self.wrapped, share)
        (self.workers * loss).backward()  # the library takes the mean over the ranks
        self.optimizer.step()
        return loss.item()


class FullySharded(ByTorch):
    """FSDP: parameters, gradients and optimizer state cut into N parts (ZeRO stage 3).

    Parameters are collected just before they are used, forward and backward, and let go again.

    Parameters
    ----------
    model, optimizer, loss
        As for `Strategy`; the optimizer must have one group of parameters.
    parts : sequence of str
        Names of the parts of `model` whose parameters are collected by themselves; what is in
        none of them is collected at the start of the step and kept to its end. Parameters that
        are tied must be in the same part.

    Attributes
    ----------
    gathered : int or None
        The most bytes of collected, whole parameters that there were in the last `watched_step`
        while a layer ran, forward or backward. What the library already collects for the layer
        after it is not in it; what the backward pass needs of them counts as activations in
        `memory` while it is there.

    References
    ----------
    Zhao et al., "PyTorch FSDP", arXiv:2304.11277.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        parts: Sequence[str] = (),
    ) -> None:
        super().__init__(model, optimizer, loss)
        mesh = init_device_mesh("cpu", (self.workers,))
        for part in [*(model.get_submodule(name) for name in parts), model]:
            fully_shard(part, mesh=mesh)
        update_only(optimizer, [each for each in model.parameters() if each.requires_grad])
        self.gathered: int | None = None

    def watched_step(self, batch: Batch) -> float:
        """Take a step as `step` does, set `memory` and `gathered`, and count what is sent."""
        self.gathered = 0
        layers = [each for each in self.model.modules() if list(each.parameters(recurse=False))]
        hooks = [layer.register_forward_hook(self._look) for layer in layers]
        try:
            return super().watched_step(batch)
        finally:
            for hook in hooks:
                hook.remove()

    def _look(self, _layer: nn.Module, _inputs: tuple, outputs: Tensor) -> None:
        def now(_gradient: Tensor | None = None) -> None:
            whole = [each for each in self.model.parameters() if not isinstance(each, DTensor)]
            self.gathered = max(self.gathered, tensor_bytes(whole))

        now()
        if outputs.requires_grad:
            outputs.register_hook(now)  # runs in the backward pass, just before the layer's own

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        share, weight = share_of(batch, self.workers, self.rank)
        self.optimizer.zero_grad()
        with self.timeline.phase("forward"):
            loss = weight * self.loss(self.model, share)
        with self.timeline.phase("backward"):
            (self.workers * loss).backward()  # the library takes the mean over the ranks
        with self.timeline.phase("update"):
            self.optimizer.step()
        return loss.item()


class TensorParallelByTorch(ByTorch):
    """The library's tensor parallelism; parameters are those of `TensorParallel`.

    Raises
    ------
    ValueError
        If the number of ranks does not divide what is cut: the library then fails.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        plan: Mapping[str, Column | Row],
    ) -> None:
        super().__init__(model, optimizer, loss)
        styles = {}
        for name, cut in plan.items():
            units = model.get_submodule(name).weight.shape[cut.dimension] / cut.unit
            if units % self.workers:
                raise ValueError(
                    f"plan must cut {name!r} into parts of one size for {self.workers} ranks, "
                    f"got {units:g} units"
                )
            styles[name] = ColwiseParallel() if isinstance(cut, Column) else RowwiseParallel()
        parallelize_module(model, init_device_mesh("cpu", (self.workers,)), styles)
        update_only(optimizer, [each for each in model.parameters() if each.requires_grad])

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        self.optimizer.zero_grad()
        with self.timeline.phase("forward"):
            loss = self.loss(self.model, batch)
        with self.timeline.phase("backward"):
            loss.backward()
        with self.timeline.phase("update"):
            self.optimizer.step()
        return loss.item() / self.workers


class PipelineByTorch(ByTorch):
    """The library's pipeline; parameters are those of `Pipeline`.

    No two stages may share a parameter.

    Raises
    ------
    ValueError
        If the micro-batches do not divide the samples of a batch, or are too few for the order.
    """

    def __init__(
        self,
        model: nn.Sequential,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        micro_batches: int = 4,
        order: Callable[[int, int], Pipeline] = one_forward_one_backward,
        layers: Sequence[int] | None = None,
    ) -> None:
        super().__init__(model, optimizer, loss)
        part = layers_of(model, self.workers, layers)[self.rank]
        free_all_but(part, model)
        kind = {gpipe: ScheduleGPipe, one_forward_one_backward: Schedule1F1B}[order]
        stage = PipelineStage(part, self.rank, self.workers, torch.device("cpu"))
        # The library's loss takes outputs: what comes out of the last layer goes in as the batch.
        self.schedule = kind(
            stage, micro_batches, lambda outputs, target: loss(nn.Identity(), (outputs, target))
        )
        self.micro_batches = micro_batches

    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss."""
        inputs, target = batch
        if len(inputs) % self.micro_batches:
            raise ValueError(
                f"micro_batches must divide the {len(inputs)} samples, got {self.micro_batches}"
            )
        self.optimizer.zero_grad()
        losses: list[Tensor] = []
        first, last = self.rank == 0, self.rank == self.workers - 1
        with self.timeline.phase("passes"):
            self.schedule.step(
                *([inputs] if first else []),
                **({"target": target, "losses": losses} if last else {}),
            )
        with self.timeline.phase("update"):
            self.optimizer.step()
        return torch.stack(losses).mean().item() if last else 0.0

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        return merged(super().whole_parameters(), self.group)
