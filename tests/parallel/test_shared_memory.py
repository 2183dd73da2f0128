"""The shared-memory transport: right sums, an end to every wait, and nothing left behind."""

import os
import signal
import sys
import time

import pytest
import torch
import torch.distributed as dist

from amdahl_lab.parallel import RankError, RankTimeout, _rank, run_ranks
from amdahl_lab.parallel.shared_memory import SharedMemory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
SOON = 5.0  # seconds, far below the run's own timeout of 60


def summed() -> list[torch.Tensor]:
    """Sum tensors of several types and sizes, again and again without a pause between."""
    memory, found = SharedMemory(), []
    for size in (1, 3, 1001):
        for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.int64):
            shared = memory.zeros(size, dtype)
            assert not shared.any()
            for turn in range(20):
                mine = torch.randn(size).mul(8).to(dtype)
                theirs = mine.double().clone()
                dist.all_reduce(theirs)
                shared.copy_(mine)
                memory.all_reduce(shared)
                # bfloat16 keeps 8 bits: each of three additions of numbers below 256 loses at
                # most half a unit of the eighth; the other types keep 24 bits and more
                bound = 4.0 if dtype == torch.bfloat16 else 1e-4
                torch.testing.assert_close(shared.double(), theirs, rtol=0, atol=bound)
                if turn % 5 == 0:
                    found.append(shared.clone())
    dist.barrier()
    assert not [each for each in os.scandir(_rank.folder()) if each.is_dir()]  # no name is left
    return found


def _descriptors() -> list[str]:
    """Name the open descriptors; the one that lists them is gone once they are looked at."""
    folder = "/proc/self/fd"
    listed = os.listdir(folder) if os.path.isdir(folder) else []
    return [each for each in listed if os.path.lexists(f"{folder}/{each}")]


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_every_rank_has_the_same_right_sum(workers):
    first, *others = run_ranks(summed, workers, seed=2)
    for other in others:
        assert all(map(torch.equal, first, other))


def test_a_barrier_holds_whoever_comes_early():
    def late() -> tuple[float, float]:
        memory = SharedMemory()
        time.sleep(0.2 * dist.get_rank())
        came = time.monotonic()
        memory.barrier()
        return came, time.monotonic()

    moments = run_ranks(late, 3)
    assert min(left for _, left in moments) >= max(came for came, _ in moments)


def test_waiting_costs_no_processor_time():
    def waited() -> float:
        memory = SharedMemory()
        memory.barrier()
        before = time.process_time()
        if dist.get_rank() == 1:
            time.sleep(1.0)
        memory.barrier()
        return time.process_time() - before

    assert run_ranks(waited, 2)[0] < 0.5  # a loop would take the whole second


def test_a_rank_that_is_killed_ends_the_wait_of_the_others():
    def rank() -> None:
        memory = SharedMemory()
        shared = memory.zeros(10)
        if dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        memory.all_reduce(shared)

    start = time.monotonic()
    with pytest.raises(RankError, match="rank 1 of 3 was ended by SIGKILL"):
        run_ranks(rank, 3)
    assert time.monotonic() - start < SOON


@pytest.mark.parametrize("late", [0, 1])  # the one who waits, or the one who leaves
def test_a_lost_peer_is_an_error_even_where_nobody_else_ends_the_run(late):
    def rank() -> None:
        memory = SharedMemory()
        if dist.get_rank() == late:
            time.sleep(0.5)
        if dist.get_rank() == 1:
            memory.close()  # as the system does when the rank ends
            return
        with pytest.raises(RuntimeError, match="closed by peer, rank 1 has ended"):
            memory.barrier()

    run_ranks(rank, 2, timeout=20)


def test_a_rank_that_raises_is_named():
    def rank() -> None:
        memory = SharedMemory()
        if dist.get_rank() == 0:
            raise KeyError("lost")
        memory.barrier()

    start = time.monotonic()
    with pytest.raises(RankError, match="rank 0 of 2 raised KeyError"):
        run_ranks(rank, 2)
    assert time.monotonic() - start < SOON


def test_a_barrier_that_one_rank_leaves_out_ends_at_the_timeout():
    def rank() -> None:
        memory = SharedMemory()
        if dist.get_rank() == 0:
            memory.barrier()  # nobody answers
        time.sleep(1000)

    with pytest.raises(RankTimeout) as caught:
        run_ranks(rank, 2, timeout=1.0)
    assert "nobody answers" in caught.value.positions[0]


def test_a_tensor_from_elsewhere_is_refused():
    def rank() -> None:
        memory = SharedMemory()
        shared = memory.zeros(4)
        for wrong in (torch.ones(4), shared[:2]):
            with pytest.raises(ValueError, match=r"tensor must be one that zeros\(\)"):
                memory.all_reduce(wrong)

    run_ranks(rank, 1)


def test_many_transports_leave_no_open_file_in_a_rank():
    def rank() -> list[int]:
        def open_files() -> int:
            SharedMemory().zeros(10)
            return len(_descriptors())

        return [open_files() for _ in range(4)]

    first, *others = run_ranks(rank, 2)[0]
    assert others == [first] * 3


def test_a_system_without_named_pipes_is_told(monkeypatch):
    def rank() -> None:
        del os.mkfifo
        with pytest.raises(ValueError, match="transport must be 'gloo' on"):
            SharedMemory()

    run_ranks(rank, 1)


def test_ranks_of_several_machines_are_refused():
    def rank() -> None:
        import socket

        socket.gethostname = lambda: f"host{dist.get_rank()}"
        with pytest.raises(ValueError, match="got 'shared' on host0, host1"):
            SharedMemory()

    run_ranks(rank, 2)
