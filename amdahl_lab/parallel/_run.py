"""One parallel run, seen from the parent: its processes, their messages, its end."""

import contextlib
import os
import pickle
import shutil
import signal
import sys
import time
from multiprocessing.connection import wait
from typing import Any

from amdahl_lab.parallel import _processes, _rank
from amdahl_lab.parallel._output import Printer, Text
from amdahl_lab.parallel._payload import sources
from amdahl_lab.parallel.failures import RankError, RankTimeout, raised

TICK = 0.1  # seconds between looks at the clock and at the ranks' raw output
CAUSE_PATIENCE = 0.5  # seconds to wait for the cause once a rank has lost a peer
ANSWER_PATIENCE = 2.0  # seconds for a rank to say where it stands
END_PATIENCE = 5.0  # seconds for a rank to leave once every result is there
AT_ONCE = 1000  # messages taken from one rank before the others, and the clock, have their turn


class Run:
    """One run, from starting its processes to the last trace of it removed."""

    def __init__(self, name: str, workers: int, timeout: float) -> None:
        self._name = name
        self._workers = workers
        self._timeout = timeout
        self._folder = _processes.private_folder()
        self._printer = Printer(self._folder, workers)
        self._processes: list[_processes.RankProcess] = []
        self._open: set[int] = set()  # ranks whose connection may still bring a message
        self._codes: dict[int, int | None] = {}  # of ranks that have ended
        self._joined: set[int] = set()
        self._results: dict[int, bytes] = {}
        self._errors: dict[int, tuple[float, dict]] = {}
        self._positions: dict[int, str] = {}
        self._texts: list[Text] = []

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for process in self._processes:
                process.kill()
            deadline = time.monotonic() + END_PATIENCE
            while len(self._codes) < len(self._processes) and time.monotonic() < deadline:
                self._listen(TICK)
            self._printer.finish()
        finally:
            try:
                self._let_go()
            except KeyboardInterrupt:  # it must not keep the rest from being let go
                self._let_go()
                raise

    def _let_go(self) -> None:
        for process in self._processes:
            process.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, payload: bytes, threads: int, seed: int | None) -> None:
        """Start the processes and tell each what it is and what to do."""
        os.mkdir(self._folder, 0o700)
        shared = {
            "workers": self._workers,
            "threads": threads,
            "seed": seed,
            "folder": self._folder,
            "environment": _processes.environment(),
            "path": [str(folder) for folder in sys.path],
            "cwd": os.getcwd(),
            "sources": sources(),
        }
        for rank in range(self._workers):
            self._processes.append(_processes.start())
            self._open.add(rank)
        for rank, process in enumerate(self._processes):
            setup = _rank.Setup(rank=rank, **shared)
            with contextlib.suppress(OSError):  # a rank that ended already is seen below
                process.connection.send_bytes(pickle.dumps(setup))
                process.connection.send_bytes(payload)

    def results(self) -> list:
        """Wait for every rank, then let all of them go."""
        deadline = time.monotonic() + _processes.START_PATIENCE
        started = False
        while len(self._results) < self._workers:
            self._listen(min(TICK, max(0.0, deadline - time.monotonic())))
            if not started and len(self._joined) == self._workers:
                started = True
                deadline = time.monotonic() + self._timeout
            if self._errors or self._lost():
                raise self._failure()
            if time.monotonic() > deadline and len(self._results) < self._workers:
                raise self._out_of_time(started)
        self._tell_all(_rank.BYE)
        deadline = time.monotonic() + END_PATIENCE
        while len(self._codes) < self._workers and time.monotonic() < deadline:
            self._listen(TICK)
        return [pickle.loads(self._results[rank]) for rank in range(self._workers)]

    def _listen(self, patience: float) -> None:
        """Take in what has arrived, waiting for the first of it; show output in order."""
        waiting = {self._processes[rank].connection: rank for rank in self._open}
        ends = {
            process.sentinel: rank
            for rank, process in enumerate(self._processes)
            if rank not in self._codes
        }
        ready = wait([*waiting, *ends], patience)
        self._read_all()
        shown_until = max((text.moment for text in self._texts), default=0.0)
        # A line that made another rank write was sent before that one: it is here by now.
        self._read_all()
        for sentinel in ready:
            if sentinel in ends:
                rank = ends[sentinel]
                self._codes[rank] = self._processes[rank].exit_code()
                self._read(rank)  # its last words
                self._open.discard(rank)
        self._printer.show(text for text in self._texts if text.moment <= shown_until)
        self._texts = [text for text in self._texts if text.moment > shown_until]
        self._printer.show_raw()

    def _read_all(self) -> None:
        for rank in tuple(self._open):
            self._read(rank)

    def _read(self, rank: int) -> None:
        connection = self._processes[rank].connection
        try:
            for _ in range(AT_ONCE):
                if not connection.poll():
                    break
                kind, moment, body = pickle.loads(connection.recv_bytes())
                self._take(rank, kind, moment, body)
        except (EOFError, OSError):  # the rank has ended; its sentinel says how
            self._open.discard(rank)

    def _take(self, rank: int, kind: str, moment: float, body: Any) -> None:
        if kind == "text":
            self._texts.append(Text(moment, rank, *body))
        elif kind == "joined":
            self._joined.add(rank)
        elif kind == "result":
            self._results[rank] = body
        elif kind == "error":
            self._errors[rank] = (moment, body)
        elif kind == "where":
            self._positions[rank] = body

    def _tell_all(self, word: bytes) -> None:
        for process in self._processes:
            with contextlib.suppress(OSError):
                process.connection.send_bytes(word)

    def _lost(self) -> list[int]:
        """Ranks that ended before they had returned or raised."""
        return [
            rank for rank in self._codes if rank not in self._results and rank not in self._errors
        ]

    def _failure(self) -> RankError:
        deadline = time.monotonic() + CAUSE_PATIENCE
        while not self._causes() and time.monotonic() < deadline:
            self._listen(TICK)
        causes = self._causes() or self._errors
        if lost := self._lost():
            rank = lost[0]
            how = _ending(self._codes[rank])
            self._printer.show_raw()
            return RankError(
                f"rank {rank} of {self._workers} {how} while it ran {self._name}", rank=rank
            )
        rank = min(causes, key=lambda each: causes[each][0])
        return raised(rank, self._workers, causes[rank][1])

    def _causes(self) -> dict[int, tuple[float, dict]]:
        """Failures that are not the echo of another one."""
        lost = {rank: (0.0, {}) for rank in self._lost()}
        return lost or {
            rank: told for rank, told in self._errors.items() if not told[1]["lost_peer"]
        }

    def _out_of_time(self, started: bool) -> RankTimeout:
        self._tell_all(_rank.WHERE)
        deadline = time.monotonic() + ANSWER_PATIENCE
        while len(self._positions) < self._workers and time.monotonic() < deadline:
            self._listen(TICK)
        positions = {rank: self._position(rank) for rank in range(self._workers)}
        limit = self._timeout if started else _processes.START_PATIENCE
        what = f"did not return from {self._name}" if started else "did not join"
        told = "\n".join(f"rank {rank} {where}" for rank, where in positions.items())
        return RankTimeout(
            f"{self._workers} ranks {what} within {limit:g} s. "
            f"Ranks that wait for each other wait for ever. Where each stood:\n{told}",
            positions=positions,
        )

    def _position(self, rank: int) -> str:
        if rank in self._results:
            return "had returned"
        if rank not in self._positions:
            return "did not answer: it was busy outside Python, or stopped"
        if rank not in self._joined:
            return "was still joining the group"
        return f"stood at\n{self._positions[rank]}"


def _ending(code: int | None) -> str:
    if code is None:
        return "ended, nobody knows how,"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
