"""What all strategies have in common: how they start, and how they tell what they did."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from amdahl_lab.parallel.strategies.memory import (
    KeptActivations,
    Memory,
    state_tensors,
    tensor_bytes,
)
from amdahl_lab.parallel.strategies.timeline import MeasuredTimeline
from amdahl_lab.parallel.strategies.traffic import Traffic

Batch = tuple[Tensor, ...]
Loss = Callable[[nn.Module, Batch], Tensor]


class Strategy(ABC):
    """One way to train one model on all ranks as if they were one.

    A subclass says how in `step`. All ranks build it together: rank 0's parameters and buffers
    are sent to the others first, so that nobody starts apart.

    Parameters
    ----------
    model : nn.Module
        The whole model; the strategy leaves in it what this rank holds.
    optimizer : torch.optim.Optimizer
        Over the parameters of `model`.
    loss : callable
        ``loss(model, batch)`` returns the mean over the samples of `batch`.
    group : torch.distributed.ProcessGroup, optional
        The ranks that take part; all of them by default.

    Attributes
    ----------
    rank, workers : int
        This rank in the group and the number N of its ranks.
    traffic, setup_traffic : Traffic
        Collectives, messages and bytes of the steps so far, and of the start, on this rank.
    timeline : MeasuredTimeline
        The phases of the steps on this rank.
    memory : Memory or None
        What this rank held in the last `watched_step`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        group: dist.ProcessGroup | None = None,
    ) -> None:
        self.model, self.optimizer, self.loss, self.group = model, optimizer, loss, group
        self.rank, self.workers = dist.get_rank(group), dist.get_world_size(group)
        self.timeline = MeasuredTimeline()
        self.traffic, self.setup_traffic = Traffic(timeline=self.timeline), Traffic()
        self.memory: Memory | None = None
        for tensor in [*model.parameters(), *model.buffers()]:
            self.setup_traffic.broadcast(tensor.detach(), group=group)

    @abstractmethod
    def step(self, batch: Batch) -> float:
        """Take one step on the global batch; return this rank's part of its mean loss.

        The parts of all ranks add up to the mean loss.

        Parameters
        ----------
        batch : tuple of Tensor
            The same on every rank; the first dimension counts the samples.
        """

    def watched_step(self, batch: Batch) -> float:
        """Take a step as `step` does and set `memory`; slower, so do not time it."""
        ignored = [*self.model.parameters(), *self.model.buffers(), *self.parameters(), *batch]
        with KeptActivations(ignored) as kept:
            loss = self.step(batch)
        self.memory = Memory(
            parameters=tensor_bytes([*self.model.parameters(), *self.model.buffers()]),
            gradients=self.gradient_bytes(),
            optimizer_state=tensor_bytes(state_tensors(self.optimizer)),
            activations=kept.peak,
        )
        return loss

    def whole_parameters(self) -> dict[str, Tensor]:
        """Return each parameter of the model, by name, whole; all ranks must call it together.

        What this rank holds whole is its own copy, the rest is collected from the others.
        """
        return {name: each.detach() for name, each in self.model.named_parameters()}

    def parameters(self) -> list[nn.Parameter]:
        """Return what the optimizer updates on this rank."""
        return [
            each
            for group in self.optimizer.param_groups
            for each in group["params"]
            if each.requires_grad
        ]

    def gradient_bytes(self) -> int:
        """Return the bytes of the gradients that this rank holds at the end of a step."""
        held = [*self.model.parameters(), *self.parameters()]
        return tensor_bytes(each.grad for each in held)


def share_of(batch: Batch, parts: int, index: int) -> tuple[Batch, float]:
    """Cut a batch into equal parts, as nearly as possible; return one with its share of samples.

    Where there are fewer samples than parts, a part without any gets one that weighs nothing:
    whoever works on it still takes part in every collective.
    """
    share = tuple(tensor.tensor_split(parts)[index] for tensor in batch)
    if len(share[0]) == 0:
        return tuple(tensor[:1] for tensor in batch), 0.0
    return share, len(share[0]) / len(batch[0])


def update_only(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> None:
    """Make an optimizer, its settings unchanged, update these parameters instead of its own."""
    if len(optimizer.param_groups) != 1:
        raise ValueError(
            f"optimizer must have one group of parameters, got {len(optimizer.param_groups)}"
        )
    group = optimizer.param_groups.pop()
    optimizer.state.clear()
    optimizer.add_param_group({**group, "params": list(parameters)})
