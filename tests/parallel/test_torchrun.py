"""The same program under torchrun gives what it gives without, errors included."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, os, sys, threading, time
import torch, torch.distributed as dist
from amdahl_lab.parallel import RankError, _torchrun, run_ranks
from amdahl_lab.parallel.blocks import losses_block
from amdahl_lab.parallel.workloads import digits

def total():
    value = torch.tensor([dist.get_rank() + 1.0])
    dist.all_reduce(value)
    return value.item(), dist.get_world_size(), torch.get_num_threads()

def wrong():
    if dist.get_rank() == 1:
        raise KeyError("lost")
    dist.barrier()

def locked():
    if dist.get_rank() == 0:
        dist.barrier()

def error_of(function, **kwargs):
    try:
        run_ranks(function, 2, **kwargs)
    except RankError as error:
        return error

found = {
    "losses": [run_ranks(losses_block, n, digits("small", 30), 5) for n in (1, 2, 1)],
    "totals": [run_ranks(total, n, threads=2) for n in (2, 1, 2)],
    "draws": run_ranks(lambda: torch.rand(()).item(), 2, seed=7),
    "wrong": str(error_of(wrong)),
    "nested": str(error_of(lambda: run_ranks(total, 1) if dist.get_rank() == 1 else None)),
    "unsent": str(error_of(lambda: threading.Lock() if dist.get_rank() == 1 else None)),
    "deadlock": isinstance(error_of(locked, timeout=1.0), RankError),
    "after": run_ranks(total, 2),
}
who = os.environ.get("RANK", "alone")
with open(sys.argv[1] + who, "w") as file:
    json.dump(found, file)
try:
    run_ranks(total, 0 if who == "alone" else 3)
except ValueError as error:
    print(error)
if who != "alone":
    _torchrun.END_PATIENCE = 0.1
    run_ranks(lambda: time.sleep(1000), 2, timeout=0.5)  # asleep for ever
"""


def test_the_same_program_gives_the_same_results(tmp_path, monkeypatch, capsys):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    arguments = [str(program), str(tmp_path / "found")]

    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(program), run_name="__main__")
    assert capsys.readouterr().out == "workers must be a whole number from 1 to 64, got 0\n"
    expected = json.loads((tmp_path / "foundalone").read_text())
    assert len(expected["losses"][0][0]) == 5
    assert expected["totals"][0] == [[3.0, 2, 2]] * 2
    assert expected["wrong"].startswith("rank 1 of 2 raised KeyError: 'lost'\n\nIn rank 1: ")
    assert "ranks cannot start ranks" in expected["nested"]
    assert "cannot be sent back from the rank" in expected["unsent"]
    assert expected["deadlock"]

    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            *(f"--log-dir={tmp_path / 'logs'}", *arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    for rank in (0, 1):  # every process holds the results of all
        assert json.loads((tmp_path / f"found{rank}").read_text()) == expected
    words = "workers must be at most 2, the processes that torchrun has started"
    assert done.stdout.count(words) == 2
    # A rank that never returns ends its process, and says where it stood.
    assert done.returncode != 0
    assert f'program.py", line {PROGRAM.splitlines().index(ASLEEP) + 1}' in done.stderr


ASLEEP = "    run_ranks(lambda: time.sleep(1000), 2, timeout=0.5)  # asleep for ever"
