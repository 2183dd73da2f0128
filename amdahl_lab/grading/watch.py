"""Looks at a sandbox from outside: what it holds, what it sends, and when to stop it."""

import os
import subprocess
import threading
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
    connection : Path
        The one folder on the disk that the sandbox can write to.
    limits : Limits
        What it may hold.
    """

    process: subprocess.Popen
    inside: int
    connection: Path
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
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._over.wait(self.limits.watch_seconds):
            if self.process.poll() is not None:
                return
            processes, memory = _usage(self.inside, page, self.limits.processes)
            self.peak_processes = max(self.peak_processes, processes)
            self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
            self.verdict = self._judge(processes, memory)
            if self.verdict is not None:
                self.process.kill()
                return

    def _judge(self, processes: int, memory: int) -> str | None:
        if processes > self.limits.processes:
            return f"it started more than {self.limits.processes} processes"
        if memory > self.limits.memory_bytes:
            return f"it used more than {self.limits.memory_bytes / 2**30:.0f} GiB of memory"
        entries = list(os.scandir(self.connection))
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        if len(entries) > 16 or size > 2**20:
            return "it wrote where only the kernel's connection belongs"
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


def _usage(root: int, page: int, enough: int) -> tuple[int, int]:
    """Number of processes below `root` and their resident private memory in bytes.

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
            fields = Path(f"/proc/{pid}/statm").read_text().split()
        except (OSError, ValueError):
            continue  # it ended between two looks
        processes += 1
        memory += (int(fields[1]) - int(fields[2])) * page
    return processes, memory
