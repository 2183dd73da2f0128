"""After every test here nothing is left: no process, thread, socket, file, memory or semaphore."""

import asyncio
import contextlib
import gc
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import psutil
import pytest
from jupyter_core.utils import run_sync

from amdahl_lab.parallel import _processes, run_ranks

PATIENCE = 5.0  # seconds for the system to take away what has ended
SHARED = Path("/dev/shm")  # named semaphores are files here, too
SYSTEM_V = ("/proc/sysvipc/sem", "/proc/sysvipc/shm", "/proc/sysvipc/msg")


def traces() -> dict[str, object]:
    """What a run could leave behind, except for the one server that waits for the next run."""
    gc.collect()
    gc.freeze()  # what is alive now need not be looked at again: it makes the next look quick
    here = psutil.Process()
    return {
        "processes": our_processes() - {here.pid, server_process().pid},
        # but for the one that tqdm starts with its first bar
        "threads": {thread.name for thread in threading.enumerate()} - {"tqdm_monitor"},
        "open files": here.num_fds(),
        "listening": {each.laddr for each in here.net_connections() if each.status == "LISTEN"},
        "temporary files": temporary_files(),
        "shared memory": {name for name in _names(SHARED) if not _in_use_elsewhere(name)},
        "System V objects": sum(_objects_of_ours(path) for path in SYSTEM_V),
    }


def our_processes() -> set[int]:
    """Children, and whoever has our temporary folder in its environment: orphans, too."""
    found = {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR") == tempfile.tempdir:
                found.add(process.pid)
    return found


def temporary_files() -> set[str]:
    """Everything below our temporary folder; the server's own, empty folder by its kind only."""
    found = set()
    for path in Path(tempfile.tempdir).rglob("*"):
        name = str(path.relative_to(tempfile.tempdir))
        if name.startswith("amdahl_lab_") and os.sep not in name:
            name = "the server's folder"  # a server that was killed is replaced by another
        if not name.startswith("torchinductor_"):  # torch's own cache, made once
            found.add(name)
    return found


def server_process() -> psutil.Process:
    return psutil.Process(_processes._server._process.pid)


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()] if folder.is_dir() else []


def _in_use_elsewhere(name: str) -> bool:
    """Tell whether a process that is not ours has a piece of shared memory open or mapped."""
    path, ours = str(SHARED / name), our_processes()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in ours and (
                path in Path(f"/proc/{process.pid}/maps").read_text()
                or path in {file.path for file in process.open_files()}
            ):
                return True
    return False


def _objects_of_ours(path: str) -> int:
    try:
        head, *rows = (line.split() for line in Path(path).read_text().splitlines())
    except OSError:
        return 0
    return sum(row[head.index("uid")] == str(os.getuid()) for row in rows)


@pytest.fixture
def server() -> psutil.Process:
    """Return the process that forks the ranks."""
    return server_process()


@pytest.fixture(scope="session")
def _what_stays(tmp_path_factory) -> None:
    # A temporary folder of our own, so that nobody else's runs are taken for ours.
    os.environ["TMPDIR"] = tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))
    run_ranks(int, 1)  # the first call starts the server
    resource_tracker.ensure_running()  # as the first spawned process does
    run_sync(asyncio.sleep)(0)  # makes the event loop that a notebook's client keeps


@pytest.fixture(autouse=True)
def nothing_left_behind(_what_stays) -> Iterator[None]:
    before = traces()
    yield
    deadline = time.monotonic() + PATIENCE
    while (left := _left(before, traces())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"before and after the test: {left}"


def _left(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple]:
    """Tell what changed; of shared memory, which others use too, only what came."""
    return {
        kind: (before[kind], found)
        for kind, found in after.items()
        if (found - before[kind] if kind == "shared memory" else found != before[kind])
    }
