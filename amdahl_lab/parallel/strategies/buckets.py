"""Many tensors laid side by side in one, so that one collective carries them all."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def parameters_in_one_bucket(parameters: Sequence[nn.Parameter], parts: int = 1) -> Tensor:
    """Move all parameters into one flat tensor, of which they become views.

    Parameters
    ----------
    parameters : sequence of nn.Parameter
        At least one, all of one type.
    parts : int, at least 1
        The tensor is padded with zeros until it divides into so many equal parts.

    Returns
    -------
    Tensor, shape (n,)
        The bucket; what is written into it the parameters have.

    Raises
    ------
    ValueError
        If there is no parameter, or they differ in type.
    """
    bucket = _room_for(parameters, parts)
    for parameter, piece in _pieces(parameters, bucket):
        parameter.data = piece.copy_(parameter.detach())
    return bucket


def gradients_in_one_bucket(parameters: Sequence[nn.Parameter], parts: int = 1) -> Tensor:
    """Give all parameters gradients, zero, that are views of one flat tensor.

    Arguments, result and errors are those of `parameters_in_one_bucket`. Backward passes add to
    the bucket in place, for as long as nobody takes the gradients away.
    """
    bucket = _room_for(parameters, parts)
    for parameter, piece in _pieces(parameters, bucket):
        parameter.grad = piece
    return bucket


def _room_for(parameters: Sequence[nn.Parameter], parts: int) -> Tensor:
    types = {each.dtype for each in parameters}
    if len(types) != 1:
        found = ", ".join(sorted(map(str, types))) or "none that require gradients"
        raise ValueError(f"model must have parameters to train, all of one type, got {found}")
    elements = sum(each.numel() for each in parameters)
    return torch.zeros(-(-elements // parts) * parts, dtype=types.pop())


def _pieces(parameters: Sequence[nn.Parameter], bucket: Tensor) -> list[tuple]:
    start, pieces = 0, []
    for each in parameters:
        pieces.append((each, bucket[start : start + each.numel()].view_as(each)))
        start += each.numel()
    return pieces
