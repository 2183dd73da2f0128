"""Makes a rank slower by real work for each sample, as a smaller processor would need longer."""

from typing import Any

SIDE = 64  # of the matrices: their product takes some 20 microseconds


def slowed(model: Any, work: int) -> list[int]:
    """Let every sample that goes through a model cost `work` products of matrices more.

    Nothing sleeps: the rank computes all the while, and twice the work takes twice the time.
    What comes out of the model stays the same.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, by a hook before its forward pass.
    work : int, at least 0
        Products for each sample.

    Returns
    -------
    list of int
        Grows by the number of samples with each forward pass.
    """
    import torch

    seen: list[int] = []
    left = torch.full((SIDE, SIDE), 0.5)
    product = torch.empty_like(left)

    def work_first(_: Any, arguments: tuple) -> None:
        samples = len(arguments[0])
        seen.append(samples)
        for _ in range(samples * work):
            torch.mm(left, left, out=product)

    model.register_forward_pre_hook(work_first)
    return seen
