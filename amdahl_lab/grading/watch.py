"""Looks at a sandbox from outside: what it holds, what it sends, and when to stop it."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from amdahl_lab.grading.limits import Limits


@dataclass
class Watch:
    """Watches one sandbox from outside; stops it when it holds too much.

    Parameters
    ----------
    process : subprocess.Popen
        The process to stop: the sandbox, or the bare kernel.
    inside : int
        Process id of the sandbox's first process, as seen from outside.
    limits : Limits
        What it may hold.
    """

    process: subprocess.Popen
    inside: int
    limits: Limits
    verdict: str | None = None
    peak_memory_bytes: int = 0
    peak_processes: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        started, own = time.monotonic(), _resident(os.getpid())
        while not self._over.wait(self.limits.watch_seconds):
            if self.process.poll() is not None:
                return
            try:
                processes, memory = _usage(self.inside, self.limits.processes)
                self.peak_processes = max(self.peak_processes, processes)
                self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
                seconds, grown = time.monotonic() - started, _resident(os.getpid()) - own
                self.verdict = self._judge(processes, memory, seconds, grown)
            except Exception:  # no watch, no run: nobody may get rid of it by making it stumble
                self.verdict = "it could not be watched any more"
            if self.verdict is not None:
                self.process.kill()
                return

    def _judge(self, processes: int, memory: int, seconds: float, grown: int) -> str | None:
        if processes > self.limits.processes:
            return f"it started more than {self.limits.processes} processes"
        if memory > self.limits.memory_bytes:
            return f"it used more than {self.limits.memory_bytes / 2**30:.2g} GiB of memory"
        if seconds > self.limits.notebook_seconds + 2 * self.limits.question_seconds:
            return "it ran for too long"
        if grown > self.limits.grader_bytes:
            return "it sent more than can be taken in"
        return None

    def loopback(self) -> tuple[int, int] | None:
        """Bytes and packets received so far on the sandbox's loopback, counted by the system.

        Returns
        -------
        tuple of int, or None
            None where the sandbox has ended.
        """
        try:
            lines = Path(f"/proc/{self.inside}/net/dev").read_text().splitlines()
        except OSError:
            return None
        for line in lines:
            name, _, counters = line.partition(":")
            if name.strip() == "lo":
                received = counters.split()
                return int(received[0]), int(received[1])
        return None


def _usage(root: int, enough: int) -> tuple[int, int]:
    """Number of processes below `root` and the memory that they hold in bytes.

    Counting stops soon after `enough` processes: a fork bomb must not slow the watch down.
    """
    waiting, processes, memory = [root], 0, 0
    while waiting and processes <= enough:
        pid = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
            for task in tasks:
                children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                waiting += [int(child) for child in children.split()]
            memory += _resident(pid)
        except (OSError, ValueError):
            continue  # it ended between two looks
        processes += 1
    return processes, memory


def _resident(pid: int) -> int:
    """Memory of a process in bytes: its own, what it shares without a file, what is swapped out."""
    kibibytes = 0
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(("RssAnon:", "RssShmem:", "VmSwap:")):
            kibibytes += int(line.split()[1])
    return 1024 * kibibytes
