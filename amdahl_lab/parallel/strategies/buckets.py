"""Many tensors laid side by side in one, so that one collective carries them all."""

from collections.abc import Callable, Sequence

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


def gradients_in_one_bucket(
    parameters: Sequence[nn.Parameter],
    parts: int = 1,
    zeros: Callable[..., Tensor] = torch.zeros,
) -> Tensor:
    """Give all parameters gradients, zero, that are views of one flat tensor.

    Arguments, result and errors are those of `parameters_in_one_bucket`; ``zeros(n, dtype=...)``
    makes the tensor. Backward passes add to the bucket in place, for as long as nobody takes the
    gradients away.
    """
    bucket = _room_for(parameters, parts, zeros)
    for parameter, piece in _pieces(parameters, bucket):
        parameter.grad = piece
    return bucket


def cut_into_buckets(
    whole: Tensor, parameters: Sequence[nn.Parameter], bucket_bytes: int
) -> list[tuple[Tensor, list[nn.Parameter]]]:
    """Cut the flat tensor of some parameters between parameters, into pieces of limited size.

    Parameters
    ----------
    whole : Tensor, shape (n,)
        Room for all parameters, side by side.
    parameters : sequence of nn.Parameter
        In the order in which they lie there.
    bucket_bytes : int, at least 1
        What a piece may hold, if it holds more than one parameter.

    Returns
    -------
    list of (Tensor, list of nn.Parameter)
        Each piece of the tensor with the parameters whose place it is.

    Raises
    ------
    ValueError
        If `bucket_bytes` is below 1.
    """
    if bucket_bytes < 1:
        raise ValueError(f"bucket_bytes must be at least 1, got {bucket_bytes!r}")
    groups: list[list[nn.Parameter]] = [[]]
    for each in parameters:
        if groups[-1] and sum(held.nbytes for held in groups[-1]) + each.nbytes > bucket_bytes:
            groups.append([])
        groups[-1].append(each)
    sizes = [sum(each.numel() for each in group) for group in groups]
    return list(zip(whole[: sum(sizes)].split(sizes), groups, strict=True))


def _room_for(
    parameters: Sequence[nn.Parameter], parts: int, zeros: Callable[..., Tensor] = torch.zeros
) -> Tensor:
    types = {each.dtype for each in parameters}
    if len(types) != 1:
        found = ", ".join(sorted(map(str, types))) or "none that require gradients"
        raise ValueError(f"model must have parameters to train, all of one type, got {found}")
    elements = sum(each.numel() for each in parameters)
    return zeros(-(-elements // parts) * parts, dtype=types.pop())


def _pieces(parameters: Sequence[nn.Parameter], bucket: Tensor) -> list[tuple]:
    start, pieces = 0, []
    for each in parameters:
        pieces.append((each, bucket[start : start + each.numel()].view_as(each)))
        start += each.numel()
    return pieces
