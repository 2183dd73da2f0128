"""Where a function may come from, what it finds in its rank, and what comes back."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import torch.distributed as dist

from amdahl_lab.parallel import RankError, _processes, run_ranks

ROOT = Path(__file__).resolve().parents[2]


def sum_of_ranks() -> float:
    total = torch.tensor([float(dist.get_rank())])
    dist.all_reduce(total)
    return total.item()


class Point:
    def __init__(self, rank: int) -> None:
        self.rank = rank


def test_a_module_function_meets_the_other_ranks():
    assert run_ranks(sum_of_ranks, 4) == [6.0] * 4


def test_a_lambda_and_a_closure_keep_what_they_hold():
    held = np.arange(5)
    assert run_ranks(lambda: int(held.sum()) + dist.get_rank(), 2) == [10, 11]


def test_arguments_arrive_by_place_and_by_name():
    assert run_ranks(lambda a, b, c=0: (a, b, c), 2, 1, 2, c=3) == [(1, 2, 3)] * 2


def test_workers_may_be_named():
    assert run_ranks(sum_of_ranks, workers=2) == [1.0, 1.0]


def test_instances_come_back_as_their_own_class():
    assert [type(point) for point in run_ranks(lambda: Point(dist.get_rank()), 2)] == [Point] * 2


def test_tensors_come_back_by_value():
    first, second = run_ranks(lambda: torch.full((3,), float(dist.get_rank())), 2)
    assert first.tolist() == [0.0] * 3
    assert second.tolist() == [1.0] * 3


def test_a_hundred_megabytes_come_back_whole():
    (result,) = run_ranks(lambda: np.arange(25 * 2**20, dtype=np.float32), 1)
    assert result.nbytes == 100 * 2**20
    assert result[-1] == 25 * 2**20 - 1


def test_a_large_argument_arrives_whole():
    sent = np.arange(2**21)
    assert run_ranks(lambda array: int(array.sum()), 2, sent) == [int(sent.sum())] * 2


def test_every_run_has_fresh_processes():
    def mark() -> tuple[int, bool]:
        marked = hasattr(os, "mark")
        os.mark = True
        return os.getpid(), marked

    runs = [run_ranks(mark, 2) for _ in range(2)]
    pids = [pid for run in runs for pid, _ in run]
    assert len(set(pids)) == 4
    assert os.getpid() not in pids
    assert not any(marked for run in runs for _, marked in run)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_pinned(threads):
    assert run_ranks(torch.get_num_threads, 2, threads=threads) == [threads] * 2


def test_the_allocator_keeps_memory_in_a_rank():
    """A large block given back and taken again must not be faulted in again (glibc only)."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the settings are those of glibc")

    def faults() -> int:
        import resource

        def take() -> None:
            torch.ones(2**22)  # 16 MB, far above glibc's usual threshold

        for _ in range(20):
            take()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(10):
            take()
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert max(run_ranks(faults, 1)) < 100  # 40,960 where every block is new


def test_the_parents_environment_reaches_the_ranks_and_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("AMDAHL_LAB_TEST", "seen")
    before = dict(os.environ)
    assert run_ranks(lambda: os.environ["AMDAHL_LAB_TEST"], 2) == ["seen"] * 2
    assert dict(os.environ) == before
    assert "MALLOC_TOP_PAD_" not in before


def test_ranks_work_in_the_parents_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_ranks(os.getcwd, 1) == [str(tmp_path)]


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(()).item()


def test_a_seed_repeats_and_differs_between_ranks():
    first, again, other = (run_ranks(draws, 2, seed=seed) for seed in (1, 1, 2))
    assert first == again
    values = [value for run in (first, other) for rank in run for value in rank]
    assert len(set(values)) == len(values)


def test_without_a_seed_every_rank_and_run_draws_anew():
    values = [value for _ in range(2) for rank in run_ranks(draws, 2) for value in rank]
    assert len(set(values)) == len(values)


def test_only_loopback_is_listened_on():
    def addresses() -> set[str]:
        found = psutil.Process().net_connections(kind="inet")
        return {each.laddr.ip for each in found if each.status == "LISTEN"}

    for found in run_ranks(addresses, 2):
        assert found <= {"127.0.0.1", "::1"}


def test_two_runs_at_once_from_two_threads():
    found = {}

    def one(key: str, workers: int) -> None:
        found[key] = [run_ranks(sum_of_ranks, workers) for _ in range(4)]

    threads = [threading.Thread(target=one, args=pair) for pair in (("a", 2), ("b", 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": [[1.0] * 2] * 4, "b": [[3.0] * 3] * 4}


def test_fifty_runs_leave_memory_and_threads_flat(server):
    here = psutil.Process()
    for _ in range(5):
        run_ranks(sum_of_ranks, 2)
    before = (here.num_threads(), here.num_fds(), server.num_fds(), server.num_threads())
    memory = here.memory_info().rss + server.memory_info().rss
    for _ in range(50):
        run_ranks(sum_of_ranks, 2)
    after = (here.num_threads(), here.num_fds(), server.num_fds(), server.num_threads())
    assert all(late <= early for late, early in zip(after, before, strict=True)), (before, after)
    assert here.memory_info().rss + server.memory_info().rss - memory < 8 * 2**20


def test_the_server_has_one_thread_so_that_forking_is_safe(server):
    assert server.num_threads() == 1


def test_a_lost_server_is_replaced(server):
    server.kill()
    server.wait(5)
    assert run_ranks(sum_of_ranks, 2) == [1.0, 1.0]


def test_a_server_lost_in_the_moment_of_asking_is_told_and_then_replaced(server, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_processes.ForkServer, "_ensure_running", lambda self: None)
        server.kill()
        server.wait(5)
        with pytest.raises(RuntimeError, match="ended in this very moment: run it again"):
            run_ranks(sum_of_ranks, 2)
    assert run_ranks(sum_of_ranks, 2) == [1.0, 1.0]


def test_a_server_that_cannot_fork_says_so_and_lives_on(monkeypatch):
    """As where a system allows no more processes; the limit is the server's own, in a test."""
    patched = _processes._BOOT.replace("main(int(", "import os; os.fork = _no; main(int(")
    refuse = "def _no():\n    raise BlockingIOError(11, 'no more processes')\n"
    monkeypatch.setattr(_processes, "_BOOT", f"exec({refuse!r}); {patched}")
    server = _processes.ForkServer()
    monkeypatch.setattr(_processes, "_server", server)
    try:
        with pytest.raises(RankError, match="ended, nobody knows how,"):
            run_ranks(sum_of_ranks, 2)
        assert server._process.poll() is None
    finally:
        server.stop()


SCRIPT = """
print("once")
import torch
torch.ones(500, 500) @ torch.ones(500, 500)  # OpenMP threads are running from here on
from amdahl_lab.parallel import run_ranks

def rank():
    import torch.distributed as dist
    return dist.get_rank()

print(run_ranks(rank, 2))
"""


@pytest.mark.parametrize(
    "prelude", ["", "from amdahl_lab.parallel import _processes as p\np.CAN_FORK = False\n"]
)
def test_a_script_without_a_guard_runs_once_in_a_folder_of_any_name(tmp_path, prelude):
    folder = tmp_path / "带 空格"
    temporary = folder / "临时 files"
    temporary.mkdir(parents=True)
    script = folder / "no guard 脚本.py"
    script.write_text(prelude + SCRIPT, encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script]
    found = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120
    )
    assert list(temporary.glob("amdahl_lab_*")) == []
    assert found.stderr == ""
    assert found.stdout.splitlines() == ["once", "[0, 1]"]


def test_where_nothing_can_fork_ranks_are_spawned(monkeypatch, capsys):
    monkeypatch.setattr(_processes, "CAN_FORK", False)

    def rank() -> int:
        print("here")
        os.system("echo there")
        return dist.get_rank()

    assert run_ranks(rank, 2) == [0, 1]
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == [f"[rank {k}] {word}" for k in (0, 1) for word in ("here", "there")]


WRONG = [
    ({"workers": 0}, "workers must be a whole number from 1 to 64, got 0"),
    ({"workers": -2}, "workers must be a whole number from 1 to 64, got -2"),
    ({"workers": 1.5}, "workers must be a whole number from 1 to 64, got 1.5"),
    ({"workers": True}, "workers must be a whole number from 1 to 64, got True"),
    ({"workers": 100_000}, "workers must be a whole number from 1 to 64, got 100000"),
    ({"workers": "2"}, "workers must be a whole number from 1 to 64, got '2'"),
    ({"threads": 0}, "threads must be a whole number from 1 to 1024, got 0"),
    ({"timeout": 0}, "timeout must be seconds, above 0 and below 1000000, got 0"),
    ({"timeout": float("nan")}, "timeout must be seconds, above 0 and below 1000000, got nan"),
    ({"seed": -1}, "seed must be a whole number from 0 to 18446744073709551616, got -1"),
    ({"function": 3}, "function must be callable, got 3"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_is_out_of_range_is_refused_by_name(wrong, words):
    with pytest.raises(ValueError) as caught:
        run_ranks(**{"function": sum_of_ranks, "workers": 2, **wrong})
    assert str(caught.value) == words
