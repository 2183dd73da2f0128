"""Collectives from send and receive: torch's results, and exactly the traffic of the formulas."""

import pytest
import torch
import torch.distributed as dist

from amdahl_lab import communication
from amdahl_lab.parallel import collectives, run_ranks

SIZES = (0, 1, 3, 8, 1001)
SUMMED = (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.int32)
SENT = (*SUMMED, torch.bool, torch.uint8)


def numbers(size: int, dtype: torch.dtype, rank: int) -> torch.Tensor:
    """Different on every rank; whole and small, so that every type sums them without error."""
    return ((torch.arange(size) * (rank + 2)) % 7).to(dtype)


def observed(call, tensor, *args) -> tuple:
    """Call a collective; return what it says that it sent, and what really was sent."""
    really = []
    send = dist.isend

    def counted(each, *where):
        really.append(each.nbytes)
        return send(each, *where)

    dist.isend = counted
    try:
        said = call(tensor, *args)
    finally:
        dist.isend = send
    assert (said.messages, said.bytes) == (len(really), sum(really))
    return said


def exchanged() -> dict:
    rank, workers, found = dist.get_rank(), dist.get_world_size(), {}
    for size in SIZES:
        for dtype in SUMMED:
            ours, theirs = numbers(size, dtype, rank), numbers(size, dtype, rank)
            said = observed(collectives.ring_all_reduce, ours)
            dist.all_reduce(theirs)
            assert torch.equal(ours, theirs), (size, dtype)

            part = numbers(size, dtype, rank)
            half = observed(collectives.ring_reduce_scatter, part)
            mine = [each.tensor_split(workers)[rank] for each in (part, theirs)]
            assert torch.equal(*mine), (size, dtype)

            other = observed(collectives.ring_all_gather, part)
            assert torch.equal(part, theirs), (size, dtype)
            if dtype == torch.float32:
                found["ring", size] = said, half, other
        for dtype in SENT:
            for source in range(workers):
                ours = numbers(size, dtype, rank).view(1, size)
                said = observed(collectives.tree_broadcast, ours, source)
                assert torch.equal(ours[0], numbers(size, dtype, source)), (size, dtype, source)
                if dtype == torch.float32:
                    found["tree", size, source] = said
    noise = torch.randn(1001)
    whole = noise.clone()
    dist.all_reduce(whole)
    collectives.ring_all_reduce(noise)
    # Four float32 in another order of addition: a few units in the last place of about 4.
    torch.testing.assert_close(noise, whole, rtol=0, atol=4e-6)
    found["noise"] = noise
    return found


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5])
def test_results_and_traffic(workers):
    ranks = run_ranks(exchanged, workers, seed=4)
    for rank in ranks:
        assert torch.equal(rank["noise"], ranks[0]["noise"])  # bit for bit
    for size in SIZES:
        n = 4 * size
        ring = (
            communication.all_reduce_seconds,
            communication.reduce_scatter_seconds,
            communication.all_gather_seconds,
        )
        for number, formula in enumerate(ring):
            said = [rank["ring", size][number] for rank in ranks]
            assert {each.steps for each in said} == {formula(n, workers, 1, 0)}
            assert {each.messages for each in said} == {formula(n, workers, 1, 0)}
            # n (N - 1) is whole, so both sides are exact
            times = 2 if number == 0 else 1
            assert sum(each.bytes for each in said) == times * n * (workers - 1)
            if size % workers == 0:
                assert {each.bytes for each in said} == {formula(n, workers, 0, 1)}
        for source in range(workers):
            said = [rank["tree", size, source] for rank in ranks]
            assert {each.steps for each in said} == {
                communication.broadcast_seconds(n, workers, 1, 0)
            }
            assert said[source].bytes == communication.broadcast_seconds(n, workers, 0, 1)
            assert sum(each.messages for each in said) == workers - 1
            assert sum(each.bytes for each in said) == n * (workers - 1)


def test_what_cannot_be_sent_is_refused():
    def refused() -> None:
        for call in (collectives.ring_all_reduce, collectives.tree_broadcast):
            with pytest.raises(ValueError, match="tensor must be contiguous, got shape"):
                call(torch.ones(2, 3).T)
        with pytest.raises(ValueError, match="source must be a rank from 0 to 0, got 1"):
            collectives.tree_broadcast(torch.ones(1), 1)

    run_ranks(refused, 1)
