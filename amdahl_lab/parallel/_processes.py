"""How a rank's process comes to be: forked by a server with torch loaded, or spawned.

Both kinds answer to the same few names: `connection`, `sentinel`, `exit_code`, `kill`, `close`.
"""

import atexit
import contextlib
import json
import multiprocessing
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import types
from typing import Protocol

from amdahl_lab.parallel import _rank
from amdahl_lab.parallel._server import STATUS_BYTES

START_PATIENCE = 120.0  # seconds for a process to load torch; a cold laptop takes about 20

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "recv_fds") and sys.platform != "win32"

# glibc gives freed memory back and faults it in again at the next step, which costs more than the
# step's own work and fakes speedups: tell it to keep what it has. One thread in every library
# that reads these names: torch is told its own number in each rank.
PINNED = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from amdahl_lab.parallel._server import main; main(int(sys.argv[1]), float(sys.argv[3]))"
)


class RankProcess(Protocol):
    """One rank's process, seen from the parent."""

    connection: multiprocessing.connection.Connection
    sentinel: object  # ready for reading once the process has ended

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; None where nobody knows."""

    def kill(self) -> None:
        """End the process now."""

    def close(self) -> None:
        """Let go of what the parent holds of an ended process."""


def environment() -> dict[str, str]:
    """Return the environment of a rank: the parent's, with memory, threads and network pinned."""
    pinned = dict(PINNED)
    if sys.platform in LOOPBACK:
        pinned["GLOO_SOCKET_IFNAME"] = LOOPBACK[sys.platform]
    if sys.platform == "darwin":
        pinned["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"
    return {**os.environ, **pinned}


class ForkServer:
    """The parent's end of the server; started when first needed, again when it was lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._folder = ""

    def folder(self) -> str:
        """Return the server's private folder, removed when the parent ends."""
        with self._lock:
            self._ensure_running()
            return self._folder

    def start(self) -> "ForkedRank":
        """Fork one rank."""
        connection, far_connection = multiprocessing.Pipe()
        lifeline, far_lifeline = socket.socketpair()
        with self._lock, far_connection, far_lifeline:
            self._ensure_running()
            far = [far_connection.fileno(), far_lifeline.fileno()]
            try:
                socket.send_fds(self._control, [b"r"], far)
            except OSError as error:  # with the folder that this run was to use
                raise RuntimeError(
                    "the process that starts the ranks ended in this very moment: run it again"
                ) from error
        return ForkedRank(connection, lifeline)

    def stop(self) -> None:
        """End the server and its ranks."""
        with self._lock:
            self._stop()

    def _ensure_running(self) -> None:
        if self._owner != os.getpid():  # this process was itself forked from the one that asked
            self._process = self._control = None
            self._folder = ""
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        self._start()

    def _start(self) -> None:
        control, far_control = socket.socketpair()
        path = json.dumps([str(folder) for folder in sys.path])
        with far_control:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, str(far_control.fileno()), path, str(START_PATIENCE)],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[far_control.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is the parent's to handle
            )
        self._control = control
        self._owner = os.getpid()
        try:
            greeting = _first_line(control)
            if not greeting:
                self._process.kill()
                words = self._process.stderr.read().decode(errors="replace").strip()
                raise RuntimeError(
                    "the process that starts the ranks could not load torch or find room for a "
                    f"temporary file within {START_PATIENCE:.0f} s:\n{words}"
                )
        except BaseException:
            self._stop()
            raise
        self._process.stderr.close()
        self._folder = json.loads(greeting)["folder"]

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.stderr.close()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder:  # where the server was killed and could not
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""


def _first_line(control: socket.socket) -> bytes:
    """Read the server's greeting; empty where it ends, or time does, before the greeting."""
    control.settimeout(START_PATIENCE)
    line = b""
    try:
        while not line.endswith(b"\n"):
            received = control.recv(4096)
            if not received:
                return b""
            line += received
    except TimeoutError:
        return b""
    control.settimeout(None)
    return line


class ForkedRank:
    """A rank forked by the server."""

    def __init__(self, connection: multiprocessing.connection.Connection, lifeline: socket.socket):
        self.connection = connection
        self.sentinel = lifeline

    def exit_code(self) -> int | None:
        """Wait for the end and return the exit code."""
        with contextlib.suppress(OSError):
            status = self.sentinel.recv(STATUS_BYTES)
            if len(status) == STATUS_BYTES:
                return int.from_bytes(status, "big", signed=True)
        return None

    def kill(self) -> None:
        """Ask the server to end the rank."""
        with contextlib.suppress(OSError):
            self.sentinel.send(b"k")

    def close(self) -> None:
        """Close both channels; a rank that still runs ends."""
        self.connection.close()
        self.sentinel.close()


class SpawnedRank:
    """A rank in a new interpreter, for systems that cannot fork."""

    def __init__(self, main_lock: threading.Lock) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far_connection = context.Pipe()
        self._process = context.Process(target=_rank.main, args=(far_connection,))
        with main_lock, _hidden_main_module():
            self._process.start()
        far_connection.close()
        self.sentinel = self._process.sentinel

    def exit_code(self) -> int | None:
        """Wait for the end and return the exit code."""
        self._process.join()
        return self._process.exitcode

    def kill(self) -> None:
        """End the process."""
        self._process.kill()

    def close(self) -> None:
        """Release the process's handle, ending it where it still runs."""
        with contextlib.suppress(ValueError):  # closed before
            self._process.kill()
            self._process.join()
            self._process.close()
        self.connection.close()


@contextlib.contextmanager
def _hidden_main_module():
    """Keep `multiprocessing` from running the caller's main module again in the child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


_server = ForkServer()
_spawning = threading.Lock()
atexit.register(_server.stop)


def start() -> RankProcess:
    """Start the process of one rank."""
    return _server.start() if CAN_FORK else SpawnedRank(_spawning)


def private_folder() -> str:
    """Return the name of a new folder for one run; who makes it has something to remove."""
    above = _server.folder() if CAN_FORK else tempfile.gettempdir()
    return os.path.join(above, f"amdahl_lab_{secrets.token_hex(8)}")
