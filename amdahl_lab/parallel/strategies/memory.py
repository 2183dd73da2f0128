"""What a rank holds, counted in bytes from its tensors: no guess from the process's size."""

import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """Bytes that one rank holds at most of each kind, in one step.

    Parameters
    ----------
    parameters, gradients, optimizer_state : int
        Bytes of the model's parameters and buffers, of the gradients, and of what the optimizer
        remembers of them.
    activations : int
        The most bytes that the forward passes kept for the backward passes at one time, without
        parameters and without the batch itself.
    """

    parameters: int
    gradients: int
    optimizer_state: int
    activations: int

    @property
    def total(self) -> int:
        """Sum of the four, which need not be at their most at the same time."""
        return self.parameters + self.gradients + self.optimizer_state + self.activations


def tensor_bytes(tensors: Iterable[Tensor | None]) -> int:
    """Return the bytes behind some tensors; memory that several of them share counts once."""
    storages = {}
    for tensor in tensors:
        if tensor is not None:
            storage = _local(tensor).untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def state_tensors(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Return what `optimizer` remembers for each element; its counters of steps are left out."""
    return [
        value
        for parameter, state in optimizer.state.items()
        for value in state.values()
        if isinstance(value, Tensor) and value.shape == parameter.shape
    ]


class KeptActivations:
    """Counts, inside a with block, what autograd keeps for the backward pass.

    A storage that was emptied meanwhile, as FSDP does with parameters that it will collect again,
    counts as nothing.

    Parameters
    ----------
    ignored : iterable of Tensor
        What is there anyway: parameters and the batch.

    Attributes
    ----------
    peak : int
        The most bytes kept at one time.
    """

    def __init__(self, ignored: Iterable[Tensor]) -> None:
        self._ignored = {_local(tensor).untyped_storage().data_ptr() for tensor in ignored}
        self._uses: Counter[int] = Counter()
        self._kept: dict[int, torch.UntypedStorage] = {}
        self.peak = 0
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda kept: kept.tensor)

    def __enter__(self) -> "KeptActivations":
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def _pack(self, tensor: Tensor) -> "_Kept":
        kept = _Kept(tensor.detach())
        storage = _local(tensor).untyped_storage()
        if storage.data_ptr() not in self._ignored:
            number = storage._cdata  # an address can come again once FSDP has emptied a storage
            self._uses[number] += 1
            self._kept[number] = storage
            self.peak = max(self.peak, sum(each.nbytes() for each in self._kept.values()))
            weakref.finalize(kept, self._release, number)
        return kept

    def _release(self, number: int) -> None:
        self._uses[number] -= 1
        if self._uses[number] == 0:
            del self._kept[number]


class _Kept:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def _local(tensor: Tensor) -> Tensor:
    """Return the part of a torch-distributed tensor that lies on this rank."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor
