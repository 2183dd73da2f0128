"""Linear layers of which each rank has a part, and the two sums that join the parts."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import Tensor, nn

Sum = Callable[[Tensor], None]  # puts the sum over all ranks into the tensor of each


class ColumnLinear(nn.Module):
    """Some of the outputs of a linear layer.

    Parameters
    ----------
    linear : nn.Linear
        Its parameters, cut already.
    enter : callable
        What the inputs, the same on all ranks, pass through first.
    """

    def __init__(self, linear: nn.Linear, enter: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias, self.enter = linear.weight, linear.bias, enter

    def forward(self, inputs: Tensor) -> Tensor:
        """Map all inputs to this rank's outputs."""
        return F.linear(self.enter(inputs), self.weight, self.bias)


class RowLinear(nn.Module):
    """A linear layer of which each rank has some of the inputs.

    Parameters
    ----------
    linear : nn.Linear
        Its parameters, cut already; the bias is whole.
    leave : callable
        What makes outputs, the same on all ranks, of the ranks' shares of them.
    """

    def __init__(self, linear: nn.Linear, leave: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias, self.leave = linear.weight, linear.bias, leave

    def forward(self, inputs: Tensor) -> Tensor:
        """Map this rank's inputs to its share of all outputs, and sum the shares."""
        outputs = self.leave(F.linear(inputs, self.weight))
        return outputs if self.bias is None else outputs + self.bias


class SumForward(torch.autograd.Function):
    """Sums over the ranks; on the way back every rank's share has the sum's gradient."""

    @staticmethod
    def forward(context, shares: Tensor, add_up: Sum) -> Tensor:
        """Replace the shares by their sum."""
        context.mark_dirty(shares)
        add_up(shares)
        return shares

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple:
        """Hand the gradient on."""
        return gradient, None


class SumBackward(torch.autograd.Function):
    """Hands on what all ranks hold; on the way back sums the gradients of what each made of it."""

    @staticmethod
    def forward(context, inputs: Tensor, add_up: Sum) -> Tensor:
        """Hand the inputs on."""
        context.add_up = add_up
        return inputs.view_as(inputs)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple:
        """Sum the gradients."""
        total = gradient.clone(memory_format=torch.contiguous_format)
        context.add_up(total)
        return total, None
