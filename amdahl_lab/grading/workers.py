"""Does one task for many things in several processes; none of them can take the others along."""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any


@dataclass(frozen=True)
class Failure:
    """Why a task gave nothing."""

    reason: str


def each(
    task: Callable[[Any], Any], things: Sequence[Any], processes: int, seconds: float
) -> Iterator[tuple[Any, Any]]:
    """Do a task for each thing, several at once, and give what comes of it as it comes.

    A process that dies or takes too long costs its thing alone: a fresh one goes on. When the
    caller stops, also by an interrupt, so do all processes; close the iterator to be sure.

    Parameters
    ----------
    task : callable
        Called with one thing in a process of its own; it and its results can be pickled.
    things : sequence
        What it is called with.
    processes : int
        How many at once.
    seconds : float
        Wall time for one thing.

    Yields
    ------
    thing, result
        The result is a `Failure` if there is none.
    """
    waiting = list(reversed(things))
    crew: list[_Worker] = []
    try:
        while waiting or crew:
            while waiting and len(crew) < processes:
                crew.append(_Worker(task, waiting.pop(), seconds))
            ready = wait([worker.connection for worker in crew], timeout=1.0)
            for worker in list(crew):
                result = worker.result(worker.connection in ready)
                if result is None:
                    continue
                thing = worker.thing
                # The next thing first: what the caller does with a result takes its time.
                if worker.alive and waiting:
                    worker.begin(waiting.pop())
                else:
                    worker.stop()
                    crew.remove(worker)
                yield thing, result
    finally:
        for worker in crew:
            worker.stop()


class _Worker:
    """One process and the thing that it works on."""

    def __init__(self, task: Callable[[Any], Any], thing: Any, seconds: float) -> None:
        self.seconds = seconds
        self.alive = True
        # Not a fork: the parent has threads and a database open.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(task, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.begin(thing)

    def begin(self, thing: Any) -> None:
        self.thing, self.deadline = thing, time.monotonic() + self.seconds
        with contextlib.suppress(OSError):  # a dead process is noticed when it is listened to
            self.connection.send(thing)

    def result(self, ready: bool) -> Any:
        """What came of the thing, a `Failure`, or None if it is still worked on."""
        if ready:
            try:
                return self.connection.recv()
            except (EOFError, OSError):
                self.alive = False
                self.process.join(5.0)
                return Failure(f"the process that marked it ended ({self.process.exitcode})")
        if time.monotonic() > self.deadline:
            self.alive = False
            return Failure(f"it took longer than {self.seconds:.0f} s")
        return None

    def stop(self) -> None:
        """End the process, with a moment to put away what it started."""
        self.connection.close()
        self.process.join(0.0 if self.process.exitcode is not None else 0.5)
        for end in (self.process.terminate, self.process.kill):
            if self.process.exitcode is None:
                end()
                self.process.join(10.0)


def _work(task: Callable[[Any], Any], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends this process
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.suppress(EOFError, OSError):
        while True:
            thing = connection.recv()
            try:
                result = task(thing)
            except Exception as error:
                result = Failure(f"{type(error).__name__}: {error}")
            connection.send(result)


def _leave(*_: Any) -> None:
    raise SystemExit(0)
