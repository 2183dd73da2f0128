"""The same program under torchrun gives what it gives without."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
import torch, torch.distributed as dist
from amdahl_lab.parallel import RankError, run_ranks
from amdahl_lab.parallel.blocks import losses_block
from amdahl_lab.parallel.workloads import digits

def total():
    value = torch.tensor([dist.get_rank() + 1.0])
    dist.all_reduce(value)
    return value.item(), dist.get_world_size(), torch.get_num_threads()

found = {
    "losses": [run_ranks(losses_block, n, digits("small", 30), 5) for n in (1, 2, 1)],
    "totals": [run_ranks(total, n, threads=2) for n in (2, 1, 2)],
    "draws": run_ranks(lambda: torch.rand(()).item(), 2, seed=7),
}
with open(sys.argv[1] + str(__import__("os").environ.get("RANK", "alone")), "w") as file:
    json.dump(found, file)
try:
    run_ranks(total, 3 if "RANK" in __import__("os").environ else 0)
except ValueError as error:
    print(error)
"""


def test_the_same_program_gives_the_same_results(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"}
    alone = [sys.executable]
    torchrun = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
        f"--log-dir={tmp_path / 'logs'}",
    ]
    shown = [
        subprocess.run(
            [*command, str(program), str(tmp_path / "found")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for command in (alone, torchrun)
    ]
    expected = json.loads((tmp_path / "foundalone").read_text())
    assert len(expected["losses"][0][0]) == 5
    assert expected["totals"][0] == [[3.0, 2, 2]] * 2
    for rank in (0, 1):  # every process holds the results of all
        assert json.loads((tmp_path / f"found{rank}").read_text()) == expected
    assert shown[0] == "workers must be a whole number from 1 to 64, got 0\n"
    assert shown[1].count("workers must be at most 2, the processes that torchrun has started") == 2
