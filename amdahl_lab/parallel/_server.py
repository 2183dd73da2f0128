"""A small process with torch loaded that forks the ranks: a fresh rank in milliseconds.

It is not the forkserver of `multiprocessing` because that one runs the caller's main module again
in every child (a script without a guard, a notebook's launcher), cannot be given an environment
of its own, and is shared with whatever else the caller does with it.

The parent starts it with one socket, the control. Each rank is asked for by one byte with two
descriptors: the rank's connection and its lifeline. Down the lifeline the parent sends a byte, or
closes it, to end the rank; up it the server sends the exit status when the rank has ended. So
when the parent dies, however it dies, every rank ends with it.
"""

import contextlib
import faulthandler
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import tempfile
from multiprocessing.connection import Connection

STATUS_BYTES = 4


def main(descriptor: int, patience: float) -> None:
    """Serve one parent until it closes the control socket.

    Parameters
    ----------
    descriptor : int
        The control socket.
    patience : float, seconds
        How long the parent waits for torch to load; shortly before, say where it hangs.
    """
    control = socket.socket(fileno=descriptor)
    faulthandler.dump_traceback_later(0.9 * patience)
    _load()
    faulthandler.cancel_dump_traceback_later()
    folder = tempfile.mkdtemp(prefix="amdahl_lab_")
    control.sendall(json.dumps({"folder": folder}).encode() + b"\n")
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 2)  # until here a failure to start could be read by the parent
    try:
        _Server(control).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _load() -> None:
    import torch._dynamo  # noqa: F401 - two seconds that the first optimizer would take in a rank

    # Parts of the package may be put away while exercises are marked; ranks need none of them.
    with contextlib.suppress(ImportError):
        import amdahl_lab.parallel.blocks  # noqa: F401

    gc.collect()
    gc.freeze()  # the children share these pages for as long as nobody writes to them


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lifelines: dict[int, socket.socket] = {}  # by process id
        self._selector = selectors.DefaultSelector()
        self._wake, wake_end = socket.socketpair()
        for end in (self._wake, wake_end):
            end.setblocking(False)
        self._wake_end = wake_end
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_end.fileno(), warn_on_full_buffer=False)
        self._selector.register(control, selectors.EVENT_READ, None)
        self._selector.register(self._wake, selectors.EVENT_READ, None)

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    request, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
                    if not request:
                        return self._end_all()
                    for descriptor in descriptors:
                        os.set_inheritable(descriptor, False)
                    self._fork(*descriptors)
                elif key.fileobj is self._wake:
                    self._wake.recv(4096)
                    self._reap()
                elif key.data in self._lifelines:  # it may have ended in this same turn
                    self._selector.unregister(key.fileobj)
                    _kill(key.data)

    def _fork(self, connection: int, lifeline: int) -> None:
        try:
            process = os.fork()
        except OSError:  # no room for one more process: the parent sees the rank's channels close
            os.close(connection)
            os.close(lifeline)
            return
        if process == 0:
            try:
                self._become_a_rank(lifeline)
                from amdahl_lab.parallel import _rank

                _rank.main(Connection(connection))
            finally:
                os._exit(1)
        with contextlib.suppress(OSError):
            os.setpgid(process, process)  # its own group, so that its children end with it
        os.close(connection)
        self._lifelines[process] = socket.socket(fileno=lifeline)
        self._selector.register(self._lifelines[process], selectors.EVENT_READ, process)

    def _become_a_rank(self, lifeline: int) -> None:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for held in (self._control, self._wake, self._wake_end, *self._lifelines.values()):
            held.close()
        os.close(lifeline)

    def _reap(self) -> None:
        while self._lifelines:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            _kill(process)  # what the rank itself has started
            lifeline = self._lifelines.pop(process)
            with contextlib.suppress(KeyError):
                self._selector.unregister(lifeline)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):
                lifeline.sendall(code.to_bytes(STATUS_BYTES, "big", signed=True))
            lifeline.close()

    def _end_all(self) -> None:
        for process in self._lifelines:
            _kill(process)
        for process in self._lifelines:
            os.waitpid(process, 0)


def _kill(group: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
