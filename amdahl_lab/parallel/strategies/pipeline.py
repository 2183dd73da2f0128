"""Pipelining: every rank holds some of the layers, and micro-batches follow each other through."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.model_parallel import ModelParallel
from amdahl_lab.parallel.strategies.stages import add_up, merged, passes, take_stage
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, share_of
from amdahl_lab.schedule import pipeline as schedule


class Pipeline(ModelParallel):
    """Cut a sequence of layers into stages, and the batch into micro-batches.

    Results go to the next stage, their gradients back to the one before, in the order that
    `amdahl_lab.schedule` plans. The optimizer steps once all micro-batches are through, so it
    sees the gradient of the whole batch.

    Parameters
    ----------
    model : nn.Sequential
        What passes between its layers must be one tensor. Layers must treat each sample by itself
        (no batch normalisation).
    optimizer, loss, group
        As for `Strategy`; ``loss(model, batch)`` must call the model on the first tensor of the
        batch and nothing else, for the last stage passes its layers for the model, and what they
        take for that tensor.
    micro_batches : int, at least 1
        Micro-batches M; no more than there are samples.
    order : callable
        `schedule.gpipe` or `schedule.one_forward_one_backward`.
    layers : sequence of int, optional
        Layers on each stage, as nearly as possible the same number by default.

    Attributes
    ----------
    most_live : int
        The most micro-batches whose backward pass this rank owed at one time.

    Raises
    ------
    ValueError
        If the layers do not add up to the model's, or a stage has none.

    References
    ----------
    Huang et al., "GPipe", arXiv:1811.06965. Narayanan et al., "PipeDream", arXiv:1806.03377.
    """

    def __init__(
        self,
        model: nn.Sequential,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        micro_batches: int = 4,
        order: Callable[[int, int], schedule.Pipeline] = schedule.one_forward_one_backward,
        layers: Sequence[int] | None = None,
        group: torch.distributed.ProcessGroup | None = None,
    ) -> None:
        super().__init__(model, optimizer, loss, group)
        self.stage = take_stage(model, layers, self.rank, self.workers)
        self.micro_batches, self.order = micro_batches, order
        self.live, self.most_live = {}, 0  # inputs and outputs of each micro-batch

    def gradients(self, batch: Batch, weight: float = 1.0) -> float:
        """Add the gradients of the weighted mean loss; return this rank's part of it."""
        count = min(self.micro_batches, len(batch[0]))
        loss, self.sent = 0.0, []
        for is_backward, m in passes(self.order, self.workers, count, self.rank):
            piece, share = share_of(batch, count, m)
            loss += self._backward(m) if is_backward else self._forward(m, piece, weight * share)
        for message in self.sent:
            message.wait()
        for parameter, holders in self.stage.ties:
            add_up(parameter.grad, holders, self.rank, self.traffic, self.group)
        return loss

    def _forward(self, m: int, piece: Batch, weight: float) -> float:
        (inputs, *rest), layers, last = piece, self.stage.layers, self.stage.last
        if not self.stage.first:
            arriving = self.stage.arriving(inputs.shape, inputs.dtype)
            inputs = self.traffic.recv(arriving, self.rank - 1, self.group, m).requires_grad_()
        with self.timeline.phase("forward", m):
            outputs = weight * self.loss(layers, (inputs, *rest)) if last else layers(inputs)
        self.live[m] = inputs, outputs
        self.most_live = max(self.most_live, len(self.live))
        if last:
            return outputs.item()
        self.sent.append(self.traffic.send(outputs.detach(), self.rank + 1, self.group, m))
        return 0.0

    def _backward(self, m: int) -> float:
        inputs, outputs = self.live.pop(m)
        gradient = None
        if not self.stage.last:
            gradient = self.traffic.recv(torch.empty_like(outputs), self.rank + 1, self.group, m)
        with self.timeline.phase("backward", m):
            if outputs.requires_grad:  # not where all layers so far are frozen
                outputs.backward(gradient)
        if not self.stage.first:
            self.sent.append(self.traffic.send(inputs.grad, self.rank - 1, self.group, m))
        return 0.0

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together."""
        return merged(super().whole_parameters(), self.group)
