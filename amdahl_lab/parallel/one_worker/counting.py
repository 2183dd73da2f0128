"""FLOPs and saved bytes as PyTorch itself counts them, to hold closed forms against."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


class Counted(NamedTuple):
    """FLOPs that PyTorch's counter sees in a forward and in a backward pass."""

    forward: int
    backward: int


def counted_flops(module: nn.Module, *inputs: Tensor) -> Counted:
    """Run a module forward and backward under PyTorch's FLOP counter.

    The counter knows products of matrices, convolutions and attention. It counts nothing that works
    number by number: activations, normalisation, look-ups, additions of a bias.

    Parameters
    ----------
    module : nn.Module
        What is run; its gradients are left as they were.
    *inputs : Tensor
        What it is run on. An input of floats gets a gradient too, as inside a network.

    Returns
    -------
    Counted
        FLOPs forward and backward.
    """
    inputs = tuple(
        each.detach().requires_grad_(each.is_floating_point() and torch.is_grad_enabled())
        for each in inputs
    )
    wanted = [p for p in (*module.parameters(), *inputs) if p.requires_grad]
    with FlopCounterMode(display=False) as forward:
        outputs = module(*inputs)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.grad(outputs.sum(), wanted)
    return Counted(forward.get_total_flops(), backward.get_total_flops())


def saved_bytes(module: nn.Module, *inputs: Tensor) -> int:
    """Run a module forward and add up what it keeps for the backward pass.

    Parameters
    ----------
    module : nn.Module
        What is run.
    *inputs : Tensor
        What it is run on; kept inputs count.

    Returns
    -------
    int
        Bytes of all memory that is kept, each piece once, parameters left out.
    """
    own = {p.untyped_storage().data_ptr() for p in (*module.parameters(), *module.buffers())}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor  # holds it, so the place stays taken
        return tensor

    inputs = tuple(each.detach().requires_grad_(each.is_floating_point()) for each in inputs)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = module(*inputs)
    total = sum(
        tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own
    )
    del outputs
    return total
