"""What can go wrong in a rank ends the run soon, with words that help, and leaves nothing."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
import torch
import torch.distributed as dist

from amdahl_lab.parallel import RankError, RankTimeout, run_ranks

SOON = 5.0  # seconds, far below the run's own timeout of 60


def failure(function, workers: int = 2, **kwargs) -> RankError:
    start = time.monotonic()
    with pytest.raises(RankError) as caught:
        run_ranks(function, workers, **kwargs)
    assert time.monotonic() - start < SOON
    return caught.value


def test_a_rank_that_raises_gives_its_traceback_while_others_wait():
    def rank() -> None:
        if dist.get_rank() == 1:
            raise KeyError("lost")  # this very line
        dist.barrier()

    error = failure(rank, 3)
    assert error.rank == 1
    assert str(error).startswith("rank 1 of 3 raised KeyError: 'lost'")
    assert 'raise KeyError("lost")  # this very line' in str(error)
    assert "_rank.py" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_raise_in_the_first_collective():
    def rank() -> None:
        dist.all_reduce(torch.ones(2) if dist.get_rank() else "no tensor")

    assert failure(rank).rank == 0


def test_a_chain_of_causes_is_told():
    def rank() -> None:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError as error:
            raise ValueError("worse") from error

    assert "ZeroDivisionError" in failure(rank).report


def test_the_cause_is_named_and_not_the_rank_that_lost_its_peer():
    def rank() -> None:
        if dist.get_rank() == 1:
            dist.destroy_process_group()  # the others notice at once, and raise
            time.sleep(0.2)
            os._exit(3)
        dist.barrier()

    error = failure(rank, 3)
    assert error.rank == 1
    assert "rank 1 of 3 ended with exit code 3 while it ran" in str(error)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGABRT"])
def test_a_signal_is_named(name):
    def rank() -> None:
        if dist.get_rank() == 1:
            os.kill(os.getpid(), getattr(signal, name))
        dist.barrier()

    error = failure(rank)
    assert error.rank == 1
    assert f"rank 1 of 2 was ended by {name}" in str(error)


def test_a_crash_in_c_shows_where_python_was(capsys):
    def crash() -> None:
        import ctypes

        ctypes.string_at(0)

    assert "SIGSEGV" in str(failure(crash, 1))
    assert "in crash" in capsys.readouterr().out


def test_sys_exit_is_told():
    assert "SystemExit: 3" in str(failure(lambda: sys.exit(3)))


def test_a_deadlock_ends_in_time_and_says_where_each_rank_stood():
    def rank() -> None:
        values = torch.ones(1)
        dist.all_reduce(values)
        if dist.get_rank() == 0:
            dist.all_reduce(values)  # nobody answers
        elif dist.get_rank() == 1:
            time.sleep(1000)  # asleep

    start = time.monotonic()
    with pytest.raises(RankTimeout) as caught:
        run_ranks(rank, 3, timeout=1.5)
    assert 1.5 <= time.monotonic() - start < SOON
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert "within 1.5 s" in str(error)
    assert "dist.all_reduce(values)  # nobody answers" in error.positions[0]
    assert "time.sleep(1000)  # asleep" in error.positions[1]
    assert error.positions[2] == "had returned"
    assert all(f"rank {rank} {where}" in str(error) for rank, where in error.positions.items())
    assert "torch/distributed" not in str(error)


def test_collectives_of_different_kinds_end_in_time():
    def rank() -> None:
        values = torch.ones(1000)
        if dist.get_rank() == 0:
            dist.all_reduce(values)  # a sum here
        else:
            dist.broadcast(values, 0)  # a broadcast there

    with pytest.raises(RankTimeout) as caught:
        run_ranks(rank, 2, timeout=0.5)
    assert "a sum here" in caught.value.positions[0]
    assert "a broadcast there" in caught.value.positions[1]


def test_collectives_of_different_sizes_end_with_the_reason(capsys):
    """gloo aborts the process that receives too much; what it says is shown."""
    error = failure(lambda: dist.all_reduce(torch.ones(1000 if dist.get_rank() else 10)))
    assert "SIGABRT" in str(error)
    assert "collective mismatch" in capsys.readouterr().out


def test_a_rank_that_cannot_answer_does_not_hold_up_the_end():
    def rank() -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    with pytest.raises(RankTimeout, match="did not answer"):
        run_ranks(rank, 1, timeout=0.3)


def test_endless_output_does_not_hold_up_the_end(capsys):
    def rank() -> None:
        while True:
            print("again")

    with pytest.raises(RankTimeout):
        run_ranks(rank, 2, timeout=0.5)
    assert "[rank 1] again" in capsys.readouterr().out


def test_a_result_that_cannot_be_pickled():
    error = failure(lambda: (threading.Lock(),) if dist.get_rank() == 1 else dist.barrier())
    assert error.rank == 1
    assert "the result, a tuple, cannot be sent back from the rank" in str(error)
    assert "Return plain data" in str(error)


LOCK = threading.Lock()


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "words"),
    [
        ((lambda lock: lambda: lock)(LOCK), (), {}, "which uses 'lock', a lock,"),
        (print, (LOCK,), {}, "argument 0 of print, a lock,"),
        (print, (), {"end": LOCK}, "argument 'end' of print, a lock,"),
    ],
)
def test_a_call_that_cannot_be_pickled_names_the_part(function, args, kwargs, words):
    with pytest.raises(TypeError, match="cannot be sent to the ranks") as caught:
        run_ranks(function, 2, *args, **kwargs)
    assert words in str(caught.value)


def test_a_run_inside_a_rank_is_refused():
    error = failure(lambda: run_ranks(int, 2))
    assert "run_ranks was called inside rank" in str(error)
    assert "ranks cannot start ranks" in str(error)


def test_what_a_rank_has_started_ends_with_it():
    def rank() -> int:
        return subprocess.Popen(["sleep", "1000"]).pid

    sleepers = run_ranks(rank, 2)
    deadline = time.monotonic() + SOON
    while any(map(psutil.pid_exists, sleepers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, sleepers))


def test_after_every_failure_the_next_run_is_sound():
    failure(lambda: os._exit(1))
    assert run_ranks(lambda: dist.get_rank(), 2) == [0, 1]
