"""The event engine: tasks that wait for their worker and for one another.

An event is the end of a task. Each worker's tasks have a fixed order, so no queue of pending
events is needed: once the tasks are sorted so that each follows what it waits for, one pass gives
every event its time, as max(end of the task before it on its worker, end of its source + lag) +
duration.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class TaskGraph:
    """Tasks and what each waits for; the times come later, in `run` and `run_many`.

    Parameters
    ----------
    before : array of int, shape (n,)
        The task before each task on its worker, -1 for a worker's first.
    source : array of int, shape (n,)
        The task whose result each task needs, -1 for none. What needs several results waits for
        tasks of no duration in between.

    Raises
    ------
    ValueError
        If an index is out of range, or tasks wait for one another in a circle; the message names
        one of them.
    """

    before: np.ndarray
    source: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.before)
        for name in ("before", "source"):
            value = np.asarray(getattr(self, name), dtype=np.int64)
            if value.shape != (n,) or np.any((value < -1) | (value >= n)):
                raise ValueError(f"{name} must hold {n} indices from -1 to {n - 1}")
            object.__setattr__(self, name, value)
        order = _sorted(self.before.tolist(), self.source.tolist())
        # In sorted order, with "none" pointing at one extra event at time 0.
        place = np.empty(n + 1, dtype=np.int64)
        place[order] = np.arange(n)
        place[n] = n
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_place", place)
        object.__setattr__(self, "_before", place[self.before[order]])
        object.__setattr__(self, "_source", place[self.source[order]])
        object.__setattr__(self, "_pairs", (self._before.tolist(), self._source.tolist()))

    def __len__(self) -> int:
        return len(self.before)

    def run(self, durations: ArrayLike, lags: ArrayLike = 0.0) -> np.ndarray:
        """Return the time at which each task ends.

        Parameters
        ----------
        durations : array_like, at least 0, scalar or shape (n,)
            Seconds of each task.
        lags : array_like, at least 0, scalar or shape (n,)
            Seconds between the end of a task's source and the moment it can start.

        Returns
        -------
        ndarray, shape (n,)
            Seconds since the start.

        Raises
        ------
        ValueError
            If a duration or lag is negative or not a number.
        """
        n = len(self)
        durations = _seconds("durations", durations, (n,))[self._order].tolist()
        lags = self._lags(lags)[self._order].tolist()
        ends = [0.0] * (n + 1)
        i = 0
        for before, source, lag, duration in zip(*self._pairs, lags, durations, strict=True):
            free = ends[before]
            ready = ends[source] + lag
            ends[i] = (free if free > ready else ready) + duration
            i += 1  # noqa: SIM113  enumerate is a tenth slower here
        return np.array(ends)[self._place[:n]]

    def run_many(self, durations: ArrayLike, lags: ArrayLike = 0.0) -> np.ndarray:
        """Return the ends of many draws of the same tasks at once.

        Tasks are taken level by level, all draws of a level together.

        Parameters
        ----------
        durations : array_like, at least 0, shape (n, draws)
            Seconds of each task in each draw.
        lags : array_like, at least 0, scalar or shape (n,)
            Seconds between the end of a task's source and the moment it can start.

        Returns
        -------
        ndarray, shape (n, draws)
            Seconds since the start.

        Raises
        ------
        ValueError
            If a duration or lag is negative or not a number, or the shape is wrong.
        """
        n = len(self)
        durations = np.asarray(durations, dtype=float)
        if durations.ndim != 2 or durations.shape[0] != n:
            raise ValueError(f"durations must have shape ({n}, draws), got {durations.shape}")
        order, before, source, levels = self._by_level
        ends = np.zeros((n + 1, durations.shape[1]))
        ends[:n] = _seconds("durations", durations, durations.shape)[order]
        lags = self._lags(lags)[order, None]
        for start, stop in itertools.pairwise(levels):
            ready = ends[source[start:stop]]
            ready += lags[start:stop]
            ends[start:stop] += np.maximum(ready, ends[before[start:stop]], out=ready)
        ended = np.empty_like(durations)
        ended[order] = ends[:n]
        return ended

    def _lags(self, lags: ArrayLike) -> np.ndarray:
        # Where there is no source there is nothing to lag behind.
        return np.where(self.source >= 0, _seconds("lags", lags, (len(self),)), 0.0)

    @cached_property
    def _by_level(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
        # A task's level is one more than the highest of those that it waits for.
        n = len(self)
        level = [-1] * (n + 1)
        for i, (before, source) in enumerate(zip(*self._pairs, strict=True)):
            level[i] = max(level[before], level[source]) + 1
        levels = np.array(level[:n], dtype=np.int64)
        rank = np.argsort(levels, kind="stable")
        place = np.empty(n + 1, dtype=np.int64)
        place[rank] = np.arange(n)
        place[n] = n
        starts = np.flatnonzero(np.diff(levels[rank], prepend=-1))
        before, source = place[self._before[rank]], place[self._source[rank]]
        return self._order[rank], before, source, [*starts.tolist(), n]


def _sorted(before: list[int], source: list[int]) -> np.ndarray:
    n = len(before)
    waits = [0] * n
    followers: list[list[int]] = [[] for _ in range(n)]
    for task, (worker, result) in enumerate(zip(before, source, strict=True)):
        if worker >= 0:
            followers[worker].append(task)
            waits[task] += 1
        if result >= 0:
            followers[result].append(task)
            waits[task] += 1
    ready = [task for task in range(n) if waits[task] == 0]
    order = []
    while ready:
        task = ready.pop()
        order.append(task)
        for follower in followers[task]:
            if waits[follower] == 1:
                ready.append(follower)
            waits[follower] -= 1
    if len(order) < n:
        stuck = next(task for task in range(n) if waits[task] > 0)
        raise ValueError(f"tasks wait for one another in a circle, task {stuck} among them")
    return np.array(order, dtype=np.int64)


def _seconds(name: str, value: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array = np.broadcast_to(np.asarray(value, dtype=float), shape)
    if not np.all((array >= 0) & np.isfinite(array)):
        raise ValueError(f"{name} must be finite and at least 0")
    return array
