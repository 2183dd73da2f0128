"""After every test here: no process, open file, temporary file or shared memory is left."""

import asyncio
import gc
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker

import psutil
import pytest
from jupyter_core.utils import run_sync

from amdahl_lab.parallel import _processes, run_ranks

PATIENCE = 5.0  # seconds for the system to take away what has ended


def traces() -> dict[str, object]:
    """What a run could leave behind, except for the one server that waits for the next run."""
    gc.collect()
    here = psutil.Process()
    processes = {child.pid for child in here.children(recursive=True)} - {server_process().pid}
    files = set(glob.glob(os.path.join(tempfile.gettempdir(), "amdahl_lab_*", "*")))
    homes = len(glob.glob(os.path.join(tempfile.gettempdir(), "amdahl_lab_*")))
    shared = {name for name in _listing("/dev/shm") if name.startswith(("torch_", "sem.", "psm_"))}
    return {
        "processes": processes,
        "open files": here.num_fds(),
        "temporary files": files,
        "temporary folders": homes,
        "shared memory": shared,
        "listening": {each.laddr for each in here.net_connections() if each.status == "LISTEN"},
    }


def server_process() -> psutil.Process:
    return psutil.Process(_processes._server._process.pid)


def _listing(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


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
    while traces() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert traces() == before
