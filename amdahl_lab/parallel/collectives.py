"""Collectives made of nothing but send and receive, to be read: who sends what to whom, and when.

Each works in place on all ranks of the default group and tells what this rank sent, which is what
`amdahl_lab.communication` says: steps are counted by its latency, bytes by its inverse bandwidth.
"""

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Sent:
    """What one rank sent in one collective.

    Parameters
    ----------
    steps : int
        Steps, one after the other, that the collective takes as a whole.
    messages : int
        Messages that this rank sent; in a ring one in each step, in a tree not.
    bytes : int
        Bytes of these messages.
    """

    steps: int
    messages: int
    bytes: int

    def __add__(self, other: "Sent") -> "Sent":
        return Sent(
            self.steps + other.steps, self.messages + other.messages, self.bytes + other.bytes
        )


def ring_all_reduce(tensor: Tensor) -> Sent:
    """Replace `tensor` on every rank by the sum over all ranks, bit for bit the same on each.

    Parameters
    ----------
    tensor : Tensor
        Contiguous, of one shape and type on all ranks.

    Returns
    -------
    Sent
        2 (N - 1) steps; 2 (N - 1) / N of the tensor's bytes on the mean of the ranks, exactly on
        each where N divides the number of elements.

    Raises
    ------
    ValueError
        If the tensor is not contiguous.

    References
    ----------
    Patarasuk and Yuan, J. Parallel Distrib. Comput. 69(2), 2009.
    """
    return ring_reduce_scatter(tensor) + ring_all_gather(tensor)


def ring_reduce_scatter(tensor: Tensor) -> Sent:
    """Make this rank's part of `tensor` the sum over all ranks; the other parts hold part sums.

    The parts are ``tensor.flatten().tensor_split(N)``, rank r's is number r. A part starts at the
    rank after its owner and travels round the ring; everyone adds to it. So each sum is formed by
    one fixed order of additions. Arguments and errors are those of `ring_all_reduce`; N - 1 steps.
    """
    rank, workers, parts = dist.get_rank(), dist.get_world_size(), _parts(tensor)
    room = torch.empty_like(parts[0])  # no part is larger than the first
    sent = Sent(0, 0, 0)
    for step in range(1, workers):
        leaving, mine = parts[(rank - step) % workers], parts[(rank - step - 1) % workers]
        arrived = room[: len(mine)]
        sent += _pass_on(leaving, arrived)
        mine += arrived
    return sent


def ring_all_gather(tensor: Tensor) -> Sent:
    """Fill `tensor` on every rank with the parts of all ranks, of which each brings its own.

    Parts, arguments and errors are those of `ring_reduce_scatter`; N - 1 steps.
    """
    rank, workers, parts = dist.get_rank(), dist.get_world_size(), _parts(tensor)
    sent = Sent(0, 0, 0)
    for step in range(workers - 1):
        sent += _pass_on(parts[(rank - step) % workers], parts[(rank - step - 1) % workers])
    return sent


def tree_broadcast(tensor: Tensor, source: int = 0) -> Sent:
    """Replace `tensor` on every rank by that of rank `source`, along a binomial tree.

    In each step everyone who has it sends it to one who has not, so those who have it double.

    Parameters
    ----------
    tensor : Tensor
        Contiguous, of one shape and type on all ranks.
    source : int
        The rank whose tensor is sent.

    Returns
    -------
    Sent
        ceil(log2 N) steps, in each of which the source sends the tensor once; N - 1 messages on
        all ranks together.

    Raises
    ------
    ValueError
        If the tensor is not contiguous or there is no rank `source`.
    """
    rank, workers = dist.get_rank(), dist.get_world_size()
    if not 0 <= source < workers:
        raise ValueError(f"source must be a rank from 0 to {workers - 1}, got {source!r}")
    flat = _flat(tensor)
    place, steps, messages = (rank - source) % workers, (workers - 1).bit_length(), 0
    for reach in (2**step for step in range(steps)):
        if reach <= place < 2 * reach:
            dist.irecv(flat, (rank - reach) % workers).wait()
        elif place < reach and place + reach < workers:
            dist.isend(flat, (rank + reach) % workers).wait()
            messages += 1
    return Sent(steps, messages, messages * flat.nbytes)


def _pass_on(leaving: Tensor, arriving: Tensor) -> Sent:
    """Send to the next rank of the ring while receiving from the one before."""
    rank, workers = dist.get_rank(), dist.get_world_size()
    sending = dist.isend(leaving, (rank + 1) % workers)
    dist.irecv(arriving, (rank - 1) % workers).wait()
    sending.wait()
    return Sent(1, 1, leaving.nbytes)


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    return _flat(tensor).tensor_split(dist.get_world_size())


def _flat(tensor: Tensor) -> Tensor:
    if not tensor.is_contiguous():
        raise ValueError(
            f"tensor must be contiguous, got shape {tuple(tensor.shape)} "
            f"with strides {tensor.stride()}"
        )
    return tensor.detach().view(-1)
