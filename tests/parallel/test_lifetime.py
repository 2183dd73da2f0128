"""Kernels that are interrupted, restarted or locked in: no rank outlives its run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch
import torch.distributed as dist
from jupyter_client.manager import start_new_kernel

from amdahl_lab.parallel import run_ranks

ROOT = Path(__file__).resolve().parents[2]
HANG = """
import time, torch.distributed as dist
from amdahl_lab.parallel import run_ranks

def wait_for_ever():
    print("waiting")
    dist.barrier()
    time.sleep(1000)

run_ranks(wait_for_ever, 2, timeout=500)
"""


class Cells:
    """A kernel, and what its cells show."""

    def __init__(self, manager, client) -> None:
        self.manager, self.client = manager, client
        self.process = psutil.Process(manager.provisioner.pid)
        self.displayed: set[str] = set()  # kinds of content

    def run(self, code: str) -> tuple[str, str]:
        """Run a cell to its end; return what it printed and the error that it showed."""
        shown = []

        def keep(message: dict) -> None:
            if message["msg_type"] == "stream":
                shown.append(message["content"]["text"])
            if message["msg_type"] == "display_data":
                self.displayed.update(message["content"]["data"])

        reply = self.client.execute_interactive(code, timeout=120, output_hook=keep)
        error = reply["content"]
        words = f"{error['ename']}: {error['evalue']}" if error["status"] == "error" else ""
        return "".join(shown), words

    def start(self, code: str) -> list[psutil.Process]:
        """Start a cell; return the processes of the kernel once it has printed something."""
        self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["msg_type"] == "stream":
                return self.process.children(recursive=True)


@pytest.fixture
def cells(nothing_left_behind):
    manager, client = start_new_kernel(cwd=str(ROOT))
    yield Cells(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.context.destroy()


def wait_until_gone(processes: list[psutil.Process], patience: float = 5.0) -> list:
    return psutil.wait_procs(processes, timeout=patience)[1]


def test_a_notebook_runs_fails_stops_and_restarts(cells, tmp_path):
    shown, error = cells.run(
        "import torch.distributed as dist\n"
        "from amdahl_lab.parallel import run_ranks\n"
        "class Answer:\n"
        "    def __init__(self, rank): self.rank = rank\n"
        "def cell_function(offset):\n"
        "    print('hello')\n"
        "    return Answer(dist.get_rank() + offset)\n"
        "answers = run_ranks(cell_function, 2, 10)\n"
        "print([answer.rank for answer in answers], isinstance(answers[0], Answer))"
    )
    assert error == ""
    assert sorted(shown.splitlines()) == ["[10, 11] True", "[rank 0] hello", "[rank 1] hello"]

    # A progress bar is a widget here, and not a row of lines.
    cells.run(
        "from amdahl_lab.parallel.experiments import control_scaling\n"
        "control_scaling(0.5, (1,), 2, units=4)"
    )
    assert "application/vnd.jupyter.widget-view+json" in cells.displayed

    # An error shows the line of the cell, which no file on disk holds.
    _, error = cells.run("def wrong():\n    1 / 0  # in a cell\nrun_ranks(wrong, 2)")
    assert error.startswith("RankError: rank ")
    assert "1 / 0  # in a cell" in error

    # Stop: the kernel lives on, the ranks do not.
    processes = cells.start(HANG)
    ranks = processes[1:]
    assert len(ranks) == 2
    cells.manager.interrupt_kernel()
    assert cells.client.get_shell_msg(timeout=20)["content"]["ename"] == "KeyboardInterrupt"
    assert wait_until_gone(ranks) == []
    assert cells.run("print(run_ranks(dist.get_rank, 2))") == ("[0, 1]\n", "")

    # Restart in the middle of a run: a killed kernel takes everything with it.
    processes = cells.start(HANG)
    assert len(processes) == 3
    cells.manager.restart_kernel(now=True)
    assert wait_until_gone(processes) == []
    assert list(Path(tempfile.gettempdir()).glob("amdahl_lab_*/*")) == []


def test_a_script_that_is_ended_leaves_nothing(tmp_path):
    script = tmp_path / "hang.py"
    script.write_text(HANG)
    scripts = {}
    for name in ("SIGKILL", "SIGTERM", "SIGINT"):  # side by side, because they start slowly
        folder = tmp_path / name
        folder.mkdir()
        scripts[name] = subprocess.Popen(
            [sys.executable, script],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    for name, process in scripts.items():
        with process:
            assert process.stdout.readline().endswith(b"waiting\n")
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) == 3
            process.send_signal(getattr(signal, name))
            process.wait(timeout=20)
        assert wait_until_gone(children) == [], name
        assert list((tmp_path / name).glob("amdahl_lab_*")) == [], name


def test_an_interrupt_ends_the_ranks_at_once():
    def wait() -> None:
        time.sleep(1000)

    main_thread = threading.get_ident()
    timer = threading.Timer(0.5, signal.pthread_kill, (main_thread, signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_ranks(wait, 2)
    timer.join()
    assert time.monotonic() - start < 3.0  # and the fixture finds nobody


def test_an_interrupt_while_a_run_is_let_go_leaves_nothing(monkeypatch):
    remove = shutil.rmtree
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(*args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_ranks(dist.get_rank, 2)
    assert len(calls) == 2


def test_interrupts_at_any_moment_leave_nothing():
    """From the first line of the call to its last: the fixture then looks for what stayed."""

    def meet() -> float:
        total = torch.ones(1)
        dist.all_reduce(total)
        return total.item()

    rng = random.Random(5)
    main_thread = threading.get_ident()
    interrupted = 0
    for _ in range(25):
        timer = threading.Timer(
            rng.uniform(0, 0.15), signal.pthread_kill, (main_thread, signal.SIGINT)
        )
        try:
            timer.start()
            run_ranks(meet, 2)
            timer.join()  # where the run was quicker, here
            time.sleep(0.1)
        except KeyboardInterrupt:
            interrupted += 1
        timer.join()
    assert interrupted == 25
    assert run_ranks(meet, 2) == [2.0, 2.0]


def test_ranks_run_inside_a_sandbox_without_network_or_disk(tmp_path):
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    command = [
        *("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--size", "1000000", "--tmpfs", "/tmp"),
        *("--ro-bind", str(ROOT), str(ROOT)),  # also where the project itself lies under /tmp
        *("--tmpfs", "/dev/shm", "--unshare-net", "--unshare-pid", "--unshare-ipc"),
        *("--die-with-parent", "--new-session", "--chdir", str(ROOT), "--setenv", "TMPDIR", "/tmp"),
        *(sys.executable, "-c"),
        "import torch, torch.distributed as dist\n"
        "from amdahl_lab.parallel import run_ranks\n"
        "from amdahl_lab.parallel._processes import _server\n"
        "run_folder = _server.folder\n"
        "def total():\n"
        "    x = torch.ones(1000)\n"
        "    dist.all_reduce(x)\n"
        "    return x.sum().item()\n"
        "print(run_ranks(total, 2))\n"
        # A disk that fills up later: the reason is told at once, and nothing is left behind.
        "import os\n"
        "with open('/tmp/filling', 'wb', buffering=0) as file:\n"
        "    try:\n"
        "        while True: file.write(bytes(4096))\n"
        "    except OSError: pass\n"
        "try: run_ranks(total, 2)\n"
        "except Exception as error: print(type(error).__name__, 'No space' in str(error))\n"
        "os.remove('/tmp/filling')\n"
        "print(run_ranks(total, 2), len([*os.scandir(run_folder())]))",
    ]
    probe = subprocess.run([*command[:-2], "-c", "print(1)"], capture_output=True, text=True)
    if probe.returncode != 0 and "ermi" in probe.stderr:
        pytest.skip(f"bubblewrap may not make namespaces here: {probe.stderr.strip()}")
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert found.stderr == ""
    assert found.stdout.splitlines() == [
        "[2000.0, 2000.0]",
        "RankError True",
        "[2000.0, 2000.0] 0",
    ]


def test_a_process_forked_from_the_parent_gets_ranks_of_its_own():
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if run_ranks(dist.get_rank, 2) == [0, 1] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert run_ranks(dist.get_rank, 2) == [0, 1]
