"""Runs a student's input pipeline on real ranks, and keeps book of what it loads and when.

Nothing here is trusted; `loading` judges the books outside.
"""

import gc
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

VALUES = 5000  # of the vector that the ranks add up in every step, like a gradient
GRACE = 0.015  # seconds in which a loader that goes too far has done so
ABSENT = 1.5  # seconds in which threads that were told to end have ended


def run(function: Callable, *, workers: int, task: str, **scenario: Any) -> list | None:
    """Run one task with a student's function on `workers` ranks.

    Parameters
    ----------
    function : callable
        The student's function.
    workers : int
        Number of ranks.
    task : str
        ``"pieces"`` or ``"prefetch"``.
    **scenario
        As for the function of that name.

    Returns
    -------
    list or None
        What each rank found; None if the function returns nothing.
    """
    from amdahl_lab.parallel import run_ranks

    part = {"pieces": pieces, "prefetch": prefetch}[task]
    found = run_ranks(part, workers, function, timeout=30.0, **scenario)
    return None if all(one is None for one in found) else found


def pieces(function: Callable, settings: list) -> list | None:
    """One rank: what it would load, and what one worker alone would, for each setting.

    Parameters
    ----------
    function : callable
        The student's ``my_batches(samples, batch, epoch, seed, rank, workers)``.
    settings : list
        Samples, batch, epoch and seed.
    """
    import torch.distributed as dist

    rank, workers = dist.get_rank(), dist.get_world_size()
    found = []
    for setting in settings:
        mine, whole = function(*setting, rank, workers), function(*setting, 0, 1)
        if mine is None:
            return None
        found.append([_numbers(mine), _numbers(whole)])
    return found


def _numbers(batches: Any) -> list:
    return [[int(number) for number in batch] for batch in batches]


class Book:
    """Loads batches that are drawn from their names, and writes down which and when."""

    def __init__(self, seed: int, broken: Any = None) -> None:
        self._seed, self._broken = seed, broken
        self._changed = threading.Condition()
        self.begun: list = []
        self.loaded = self.asked = self.most_ahead = 0

    def load(self, name: Any) -> np.ndarray:
        """Load a batch, as the student's loader asks for it, in whatever thread."""
        with self._changed:
            self.begun.append(name)
            self.most_ahead = max(self.most_ahead, len(self.begun) - self.asked)
        if name == self._broken:
            raise LookupError(f"there is no batch {name}")
        batch = contents(self._seed, name)
        with self._changed:
            self.loaded += 1
            self._changed.notify_all()
        return batch

    def ask(self) -> None:
        """Write down that the step asks for a batch."""
        with self._changed:
            self.asked += 1

    def wait(self, loaded: int, seconds: float, others: Callable[[], int]) -> bool:
        """Wait until so many batches are loaded, or nobody is there to load them."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self.loaded < loaded:
                if time.monotonic() > deadline or not others():
                    return False
                self._changed.wait(0.1)
        return True


def contents(seed: int, name: int) -> np.ndarray:
    """Batch of a name."""
    return np.random.default_rng([seed, name]).random(3)


def prefetch(function: Callable, scenarios: list, patience: float) -> list | None:
    """One rank: steps that use a student's loader and add up a vector with the other ranks.

    Parameters
    ----------
    function : callable
        The student's ``prefetch(load, names, ahead)``.
    scenarios : list of dict
        As for `Steps`.
    patience : float, seconds
        How long to wait for what should happen at once.

    Returns
    -------
    list of dict
        For each scenario what came of it. All ranks stop after one that went wrong on any.
    """
    found = []
    for scenario in scenarios:
        steps = Steps(patience, **scenario)
        if not steps.run(function):
            return None
        found.append(steps.told())
        if steps.stopped:
            break
    return found


class Steps:
    """Some steps on one rank, each with a batch from a student's loader.

    Parameters
    ----------
    patience : float, seconds
        How long to wait for what should happen at once.
    seed : int
        What the batches are drawn from.
    names : list
        For each rank the names of its batches.
    ahead : int
        Batches to be loaded ahead.
    asks : int
        How often a batch is asked for; then the loader is closed.
    broken : int
        Place of a batch that can't be loaded, or -1.
    """

    def __init__(
        self, patience: float, *, seed: int, names: list, ahead: int, asks: int, broken: int
    ) -> None:
        import torch.distributed as dist

        self._names = names[dist.get_rank()]
        self._book = Book(seed, self._names[broken] if broken >= 0 else None)
        self._loadable = broken if broken >= 0 else len(self._names)
        self._patience, self._ahead, self._asks = patience, ahead, asks
        self._taken: list = []
        self._hung, self._late, self._late_loaded = False, -1, 0
        self._raised, self._left = "", 0
        self.stopped = False

    def run(self, function: Callable) -> bool:
        """Run them; False if the function gives nothing at all."""
        self._before = set(threading.enumerate())
        made: list = []
        self._within(lambda: made.append(function(self._book.load, list(self._names), self._ahead)))
        if made == [None]:
            return False
        loads = iter(made.pop()) if made else None
        for _ in range(self._asks):
            if loads is not None and not self._hung:
                self._take(loads)
            self._meet(self._hung or self._late >= 0)
            if self.stopped:
                break
        if hasattr(loads, "close") and not self._hung:
            self._within(loads.close)
        del loads
        gc.collect()
        self._left = 0 if self._hung else self._stay()
        self._meet(self._left > 0)
        return True

    def told(self) -> dict[str, Any]:
        """What happened, as plain data."""
        return {
            "taken": self._taken,
            "begun": [int(name) for name in self._book.begun],
            "most_ahead": self._book.most_ahead,
            "hung": self._hung,
            "late": self._late,
            "late_loaded": self._late_loaded,
            "raised": self._raised,
            "left": self._left,
        }

    def _take(self, loads: Iterator) -> None:
        """Ask for a batch and hold it until those ahead are loaded."""
        came: list = []
        self._book.ask()
        self._within(lambda: came.extend(islice(loads, 1)))
        if not came:
            return
        self._taken.append(_plain(came[0]))
        wanted = min(len(self._taken) + self._ahead, self._loadable)
        if not self._book.wait(wanted, self._patience, self._others):
            self._late, self._late_loaded = len(self._taken), self._book.loaded
        time.sleep(GRACE)

    def _meet(self, trouble: bool) -> None:
        """Add up a vector with the other ranks; stop if one of them is in trouble."""
        import torch
        import torch.distributed as dist

        vector = torch.zeros(VALUES, dtype=torch.float64)
        vector[0] = float(trouble)
        dist.all_reduce(vector)
        self.stopped = self.stopped or bool(vector[0] > 0)

    def _others(self) -> int:
        """How many threads and processes there are that were not there before."""
        threads = [one for one in threading.enumerate() if one not in self._before]
        return len(threads) + len(multiprocessing.active_children())

    def _stay(self) -> int:
        """How many of them do not end when they should."""
        deadline = time.monotonic() + ABSENT
        while (left := self._others()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return left

    def _within(self, call: Callable) -> None:
        """Call in a thread; write down if it raises, and if it does not come back."""

        def kept() -> None:
            try:
                call()
            except Exception as error:
                self._raised = type(error).__name__

        thread = threading.Thread(target=kept, daemon=True)
        thread.start()
        thread.join(self._patience)
        self._hung = thread.is_alive()


def _plain(batch: Any) -> Any:
    return batch.tolist() if isinstance(batch, np.ndarray) else [type(batch).__name__]
