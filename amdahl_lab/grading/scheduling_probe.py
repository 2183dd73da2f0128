"""Hands units of work to a student's ranks on a clock of its own, and keeps book.

A unit takes as long as the grader says, on a clock that only this module moves: when every rank
is at work, it goes on to the moment at which the first of them is done. So it does not matter how
fast the machine is or what else it does. A rank that comes for no unit while units are left is
waited for: until all such ranks sleep, and so wait for others, or until patience ends where a rank
is awake or the system does not say. A rank that is slow because the machine is busy is awake.
Nothing here is trusted; the grader judges the book outside.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from typing import Any

import numpy as np

LOOK = 0.02  # seconds between two looks at the ranks
ASLEEP = 40  # looks in a row at which they must all sleep


def play(
    name: str,
    functions: Sequence[Callable],
    *,
    workers: int,
    seconds: float,
    seed: int,
    calls: list,
    patience: float,
) -> list:
    """Call ``work_off(units, do, store)`` on all ranks, once for each entry of `calls`.

    Parameters
    ----------
    name : str
        For the grader's own use.
    functions : sequence of callable
        The student's one.
    workers : int
        Number of ranks.
    seconds : float
        Wall time of all calls together.
    seed : int
        What the results of the units are drawn from.
    calls : list of dict
        ``units``, and ``costs``: for each rank the time that it takes for each unit.
    patience : float, seconds
        How long to wait for a rank that could begin a unit.

    Returns
    -------
    list
        For each rank what it returned from each call; rank 0 has the book of the call beside it.
    """
    from amdahl_lab.parallel import run_ranks

    with Listener() as listener:
        foreman = Foreman(listener, workers, calls, patience)
        foreman.start()
        try:
            told = run_ranks(
                _rank, workers, functions[0], listener.address, seed, calls, timeout=seconds
            )
        finally:
            foreman.end()
    return [[rank, foreman.books if place == 0 else []] for place, rank in enumerate(told)]


def _rank(work_off: Callable, address: Any, seed: int, calls: list) -> list:
    """One rank: all calls, one after the other, with the same store."""
    import torch.distributed as dist

    told = []
    # torch offers the store in which the ranks found each other under no other name.
    store = dist.PrefixStore("work", dist.distributed_c10d._get_default_store())
    with Client(address) as foreman:
        say = Messages(foreman, dist.get_rank())
        for place, call in enumerate(calls):
            say(-1)

            def do(unit: int, place: int = place, units: int = call["units"]) -> float:
                if not 0 <= unit < units:
                    raise IndexError(f"there is no unit {unit}")
                say(int(unit))
                return result(seed, place, int(unit))

            told.append(work_off(call["units"], do, store))
            say(-1)
    return told


def result(seed: int, call: int, unit: int) -> float:
    """What a unit comes to."""
    return float(np.random.default_rng([seed, call, unit]).random())


class Messages:
    """A rank's way to the foreman; `do` may be called from any thread, one at a time."""

    def __init__(self, connection: Connection, rank: int) -> None:
        self._connection, self._rank, self._lock = connection, rank, threading.Lock()

    def __call__(self, unit: int) -> None:
        """Say what is begun, -1 before and after a call, and wait for the reply."""
        with self._lock:
            self._connection.send_bytes(json.dumps([self._rank, unit, os.getpid()]).encode())
            self._connection.recv_bytes()


class Foreman(threading.Thread):
    """Keeps the clock of all ranks, in a thread of the process that started them.

    Attributes
    ----------
    books : list of dict
        For each call: ``begun``, pairs of unit and rank in order; ``idle``, pairs of a rank that
        began nothing and the units that were left, or empty. Once a rank was idle, none is waited
        for any more, and the books of later calls say nothing of it.
    """

    def __init__(self, listener: Listener, workers: int, calls: list, patience: float) -> None:
        super().__init__(daemon=True)
        self._listener, self._workers, self._calls = listener, workers, calls
        self._patience, self._ended = patience, threading.Event()
        self.books: list[dict[str, list]] = [{"begun": [], "idle": []} for _ in calls]

    def end(self) -> None:
        """Stop and wait until it has."""
        self._ended.set()
        if self.is_alive():
            with contextlib.suppress(OSError):  # it may still wait for ranks that never came
                Client(self._listener.address).close()
            self.join()

    def run(self) -> None:
        """Serve all calls."""
        ranks: list[Connection] = []
        try:
            while len(ranks) < self._workers and not self._ended.is_set():
                ranks.append(self._listener.accept())
            for call, book in zip(self._calls, self.books, strict=True):
                processes = self._meet(ranks)
                self._serve(ranks, processes, call, book)
        except (OSError, EOFError):  # a rank is gone; its error is told elsewhere
            return
        finally:
            for rank in ranks:
                rank.close()

    def _meet(self, ranks: list[Connection]) -> dict[int, int]:
        """Let all ranks go into the next call together; return their processes."""
        told = [json.loads(rank.recv_bytes()) for rank in ranks]
        for rank in ranks:
            rank.send_bytes(b"begin")
        return {rank: process for rank, _, process in told}

    def _serve(
        self, ranks: list[Connection], processes: dict[int, int], call: dict, book: dict[str, list]
    ) -> None:
        begun: set[int] = set()
        clocks = [0.0] * len(ranks)
        busy: dict[int, tuple[float, Connection]] = {}  # ranks at work: until when
        returned: dict[int, Connection] = {}
        heard, asleep = time.monotonic(), 0
        while len(returned) < len(ranks) and not self._ended.is_set():
            for connection in wait(ranks, timeout=LOOK):
                rank, unit, _ = json.loads(connection.recv_bytes())
                heard, asleep = time.monotonic(), 0
                if unit < 0:
                    returned[rank] = connection
                    continue
                book["begun"].append([unit, rank])
                begun.add(unit)
                busy[rank] = (clocks[rank] + call["costs"][rank][unit], connection)
            left = call["units"] - len(begun)
            absent = processes.keys() - busy.keys() - returned.keys()
            if left and not any(each["idle"] for each in self.books):
                asleep = asleep + 1 if all(_sleeps(processes[rank]) for rank in absent) else 0
                if absent and asleep < ASLEEP and time.monotonic() < heard + self._patience:
                    continue
                book["idle"] = [[rank, left] for rank in sorted(absent | returned.keys())]
            if busy:
                first = min(busy, key=lambda rank: busy[rank][0])
                clocks[first], connection = busy.pop(first)
                heard, asleep = time.monotonic(), 0
                connection.send_bytes(b"done")
        for connection in returned.values():
            connection.send_bytes(b"done")


def _sleeps(process: int) -> bool:
    """Whether all threads of a process wait for something; no, where the system does not say."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        # The state follows the name of the thread, which is in brackets and may hold any sign.
        states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks]
    except (OSError, IndexError):
        return False
    return bool(states) and set(states) == {"S"}
