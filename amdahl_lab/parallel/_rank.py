"""What happens inside one rank: it adopts its setup, joins the group, runs, and tells the parent.

A rank is a fresh process with one connection to its parent. Down come the setup, the payload,
and then single words; up go tuples ``(kind, moment, body)``, pickled, with the moment on the
machine's monotonic clock.
"""

import contextlib
import faulthandler
import io
import linecache
import os
import pickle
import random
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

GROUP_PATIENCE = timedelta(days=7)  # the parent's own timeout comes first and says more
LOST_PEER = ("closed by peer", "reset by peer", "Broken pipe")  # gloo's words for it
WHERE, BYE = b"where", b"bye"

_current: int | None = None  # the rank that this process is, in a rank
_folder: str | None = None  # the private folder of its run


def current() -> int | None:
    """Return the rank that this process is, or None outside a parallel run."""
    return _current


def folder() -> str | None:
    """Return the run's private folder, removed when the run ends; None where there is none."""
    return _folder


@dataclass(frozen=True)
class Setup:
    """What a rank must know before it can run: plain data only.

    Parameters
    ----------
    rank, workers : int
        This rank and the number of all ranks.
    threads : int
        Threads that torch may use in this rank.
    seed : int or None
        What the rank's random generators start from; None for fresh entropy.
    folder : str
        The run's private folder: rendezvous file and the ranks' raw output.
    environment, path, cwd
        The parent's environment variables, import path and working folder.
    sources : dict
        Source lines of notebook cells, for tracebacks.
    """

    rank: int
    workers: int
    threads: int
    seed: int | None
    folder: str
    environment: dict[str, str]
    path: list[str]
    cwd: str
    sources: dict[str, tuple] = field(repr=False)


class Link:
    """The way up to the parent, safe to use from more than one thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, kind: str, body: Any = None) -> None:
        """Send one message; a rank whose parent is gone ends here."""
        try:
            with self._lock:
                self._connection.send_bytes(pickle.dumps((kind, time.monotonic(), body)))
        except OSError:
            os._exit(1)

    def stream(self, name: str) -> io.TextIOWrapper:
        """Return a text file whose lines go to the parent."""
        return io.TextIOWrapper(
            io.BufferedWriter(_Upward(self, name), buffer_size=1 << 16),
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )


class _Upward(io.RawIOBase):
    def __init__(self, link: Link, stream: str) -> None:
        self._link = link
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._link.send("text", (self._stream, bytes(data)))
        return len(data)


def main(connection: Connection) -> None:
    """Be a rank, from the first message to the last, then end the process."""
    try:
        setup: Setup = pickle.loads(connection.recv_bytes())
        payload = connection.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
    _adopt(setup)
    link = Link(connection)
    sys.stdout, sys.stderr = link.stream("out"), link.stream("err")
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _let_go(connection))
    finished = threading.Event()
    threading.Thread(
        target=_listen,
        args=(connection, link, threading.get_ident(), finished, setup.folder),
        name="amdahl_lab listener",
        daemon=True,
    ).start()
    with contextlib.ExitStack() as group:
        try:
            function, args, kwargs = pickle.loads(payload)
            group.enter_context(_group_by_file(setup))
            link.send("joined")
            kind, body = "result", _pack_result(function(*args, **kwargs))
        except BaseException as error:
            kind, body = "error", _describe(error)
        _flush()
        link.send(kind, body)
        finished.wait()  # the group stays whole until every rank has returned
    os._exit(0)


@contextlib.contextmanager
def as_rank(rank: int, workers: int, store: Any, threads: int) -> Iterator[None]:
    """Join the process group of all ranks for the length of a with block.

    Parameters
    ----------
    rank, workers : int
        This rank and the number of all ranks.
    store : torch.distributed.Store
        Where the ranks find each other.
    threads : int
        Threads that torch may use, set before any work starts.
    """
    import torch
    import torch.distributed as dist

    global _current
    torch.set_num_threads(threads)
    dist.init_process_group(
        "gloo", store=store, rank=rank, world_size=workers, timeout=GROUP_PATIENCE
    )
    _current = rank
    try:
        yield
    finally:
        _current = None
        dist.destroy_process_group()


@contextlib.contextmanager
def _group_by_file(setup: Setup) -> Iterator[None]:
    import torch.distributed as dist

    seed_generators(setup.seed, setup.rank)
    store = dist.FileStore(str(Path(setup.folder) / "rendezvous"), setup.workers)
    with as_rank(setup.rank, setup.workers, store, setup.threads):
        yield


def _adopt(setup: Setup) -> None:
    global _folder
    _folder = setup.folder
    os.environ.clear()
    os.environ.update(setup.environment)
    sys.path[:] = setup.path
    linecache.cache.update(setup.sources)
    with contextlib.suppress(OSError):
        os.chdir(setup.cwd)
    raw = os.open(log_path(setup.folder, setup.rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):  # what C code and child processes write
        os.dup2(raw, descriptor)
    os.close(raw)
    faulthandler.enable(2, all_threads=False)


def log_path(folder: str, rank: int) -> str:
    """Return the file that holds what a rank's C code and child processes write."""
    return str(Path(folder) / f"rank{rank}.log")


def seed_generators(seed: int | None, rank: int) -> None:
    """Start the generators of torch, numpy and random, differently in each rank."""
    import numpy as np
    import torch

    entropy = None if seed is None else (seed, rank)
    first, second, third = (int(word) for word in np.random.SeedSequence(entropy).generate_state(3))
    random.seed(first)
    np.random.seed(second)
    torch.manual_seed(third)


def _listen(
    connection: Connection, link: Link, main_thread: int, finished: threading.Event, folder: str
) -> None:
    while True:
        try:
            word = connection.recv_bytes()
        except (EOFError, OSError):  # the parent is gone
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)
        if word == WHERE:
            link.send("where", _position(main_thread))
        elif word == BYE:
            finished.set()


def _let_go(connection: Connection) -> None:
    connection.close()
    sys.stdout, sys.stderr = (open(fd, "w", closefd=False) for fd in (1, 2))  # noqa: SIM115


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _pack_result(result: object) -> bytes:
    try:
        return cloudpickle.dumps(result)
    except Exception as error:
        raise TypeError(
            f"the result, a {type(result).__name__}, cannot be sent back from the rank: {error}. "
            "Return plain data, arrays or tensors"
        ) from None


def _describe(error: BaseException) -> dict[str, Any]:
    summary = traceback.TracebackException.from_exception(error)
    kept = [frame for frame in summary.stack if frame.filename != __file__]
    summary.stack = traceback.StackSummary.from_list(kept)
    return {
        "summary": "".join(summary.format_exception_only()).strip(),
        "report": "".join(summary.format()).rstrip(),
        "lost_peer": isinstance(error, RuntimeError)
        and any(words in str(error) for words in LOST_PEER),
    }


def _position(main_thread: int) -> str:
    frames = traceback.extract_stack(sys._current_frames()[main_thread])
    starts = [i for i, frame in enumerate(frames) if frame.filename == __file__]
    inside = frames[starts[-1] + 1 :]
    own = [frame for frame in inside if not frame.filename.startswith(_torch_folder())]
    return "".join(traceback.format_list(own)).rstrip()


def _torch_folder() -> str:
    torch = sys.modules.get("torch")
    return os.path.dirname(torch.__file__) + os.sep if torch else "no torch yet"
