"""The same program on one host, and on two that only a link joins, shaped to known rates."""

import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from two_hosts import Host, NoHosts, TwoHosts

from amdahl_lab.fitting_communication import LinkFit, fit_latency_bandwidth

ROOT = Path(__file__).resolve().parents[2]
RATES = (16e6, 48e6, 144e6)  # bits per second
MOMENTS = (0.02, 0.04, 0.08, 0.16)  # seconds that the timed buffers need at their rate
PATIENCE = 60.0  # seconds; it takes about a third of that on two idle cores
PROGRAM = """
import json, os, sys, time
from pathlib import Path
from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.blocks import losses_block
from amdahl_lab.parallel.experiments import digits_scaling
from amdahl_lab.parallel.links import all_reduce_times
from amdahl_lab.parallel.workloads import digits

folder, who = Path(sys.argv[1]), os.environ.get("RANK", "alone")
run = digits_scaling((1, 2), 2, size="small", batch=64, steps=2, progress=False)
found = {
    "losses": run_ranks(losses_block, 2, digits("small", 30), 5),
    "steps": {N: run.seconds(N).tolist() for N in run.workers},
    "times": [],
}
for number in range(3):
    (folder / f"{who} is ready for {number}").touch()
    cue = folder / f"sizes {number}"
    while not cue.exists():
        time.sleep(0.01)
    times = all_reduce_times(json.loads(cue.read_text()), rounds=8)
    found["times"].append({size: seconds.tolist() for size, seconds in times.items()})
(folder / f"found by {who}").write_text(json.dumps(found))
"""


def test_the_same_program_runs_on_two_hosts_and_recovers_the_rates_of_their_link(
    tmp_path, monkeypatch
):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    for number, rate in enumerate(RATES):
        _give_sizes(tmp_path, number, rate)
    monkeypatch.setattr(sys, "argv", [str(program), str(tmp_path)])
    runpy.run_path(str(program), run_name="__main__")
    alone = _found(tmp_path, "alone")
    for number in range(len(RATES)):
        (tmp_path / f"sizes {number}").unlink()

    interfaces = set(psutil.net_if_addrs())
    try:
        with TwoHosts() as hosts:
            _run_on(hosts, program, tmp_path)
    except NoHosts as reason:
        pytest.skip(f"no two hosts here: {reason}")
    assert set(psutil.net_if_addrs()) == interfaces

    first, second = (_found(tmp_path, rank) for rank in (0, 1))
    assert first == second  # both hosts hold every result, to the last digit
    assert first["losses"] == alone["losses"]  # and what is computed is the same as on one
    assert {N: len(steps) for N, steps in first["steps"].items()} == {"1": 2, "2": 2}
    for rate, times, free in zip(RATES, first["times"], alone["times"], strict=True):
        fit = _fit(times)
        print(f"{rate / 8e6:g} MB/s shaped: bandwidth {fit.bandwidth}, latency {fit.latency}")
        assert fit.bandwidth.estimate == pytest.approx(rate / 8, rel=0.15)
        assert fit.bandwidth.low / (rate / 8) > 0.7
        assert fit.bandwidth.high / (rate / 8) < 1.15  # a link can't carry more than its rate
        # What makes the difference is the link: nothing shapes the loopback of one host.
        largest = max(times, key=int)
        assert np.median(free[largest]) < np.median(times[largest]) / 2


def _give_sizes(folder: Path, number: int, rate: float) -> None:
    sizes = [4 * int(moment * rate / 8 / 4) for moment in MOMENTS]
    beside = folder / "sizes beside"
    beside.write_text(json.dumps(sizes))
    beside.rename(folder / f"sizes {number}")  # there at once and whole


def _found(folder: Path, who: object) -> dict:
    return json.loads((folder / f"found by {who}").read_text())


def _fit(times: dict[str, list[float]]) -> LinkFit:
    """Fit the faster half of the rounds: what else a busy computer does only ever adds time."""
    seconds = {int(size): sorted(each)[: len(each) // 2] for size, each in times.items()}
    return fit_latency_bandwidth(seconds, 2, rng=np.random.default_rng(0))


def _run_on(hosts: tuple[Host, Host], program: Path, folder: Path) -> None:
    """Start torchrun on both hosts; shape the link to each rate when both are ready for it."""
    processes = []
    try:
        for rank, host in enumerate(hosts):
            torchrun = [
                *(sys.executable, "-m", "torch.distributed.run", "--nnodes=2"),
                *(f"--node-rank={rank}", "--nproc-per-node=1", f"--log-dir={folder / 'logs'}"),
                *(f"--master-addr={hosts[0].address}", "--master-port=29400"),
            ]
            processes.append(
                subprocess.Popen(
                    host.command(*torchrun, str(program), str(folder)),
                    env={**_environment(), "GLOO_SOCKET_IFNAME": host.interface},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        deadline = time.monotonic() + PATIENCE
        for number, rate in enumerate(RATES):
            ready = [folder / f"{rank} is ready for {number}" for rank in (0, 1)]
            while not all(path.exists() for path in ready):
                assert time.monotonic() < deadline, "the hosts were not ready in time"
                assert all(process.poll() is None for process in processes), _words(processes)
                time.sleep(0.01)
            for host in hosts:
                host.limit(rate)
            _give_sizes(folder, number, rate)
        for process in processes:
            process.wait(max(0.1, deadline - time.monotonic()))
        assert [process.returncode for process in processes] == [0, 0], _words(processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _words(processes: list[subprocess.Popen]) -> str:
    for process in processes:
        process.kill()
    return "\n".join(process.communicate()[0] for process in processes)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
