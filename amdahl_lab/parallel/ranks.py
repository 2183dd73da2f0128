"""Run a function on N fresh processes that are joined by a process group.

The function may come from a notebook cell, a closure or a script without a guard, because it
travels by value. Each rank is a new process, so nothing of one run is left for the next, and is
pinned to its number of threads. Only the loopback interface is used, and no fixed port.
"""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from amdahl_lab.parallel import _rank, _torchrun
from amdahl_lab.parallel._payload import name_of, pack
from amdahl_lab.parallel._run import Run

MOST_WORKERS = 64


def run_ranks(
    function: Callable,
    workers: int,
    *args: Any,
    threads: int = 1,
    timeout: float = 60.0,
    seed: int | None = None,
    **kwargs: Any,
) -> list:
    """Run ``function(*args, **kwargs)`` on every rank and return the results.

    Inside, `torch.distributed` is ready: the default group joins all ranks over gloo. What a rank
    prints is shown here with its rank in front. Under ``torchrun`` the processes are there
    already, on one host or many: the first `workers` of them run the function, and every one of
    them gets all results, so that the same program runs on both.

    Parameters
    ----------
    function : callable
        What each rank runs.
    workers : int, 1 to 64
        Number of ranks N. More than the cores there are is allowed.
    *args, **kwargs
        What the function is called with, the same on every rank.
    threads : int, at least 1
        Threads that torch may use in each rank.
    timeout : float, seconds, above 0
        How long the ranks may take, from the moment when all have joined.
    seed : int, at least 0, optional
        Makes what the ranks draw from `torch`, `numpy.random` and `random` repeatable. Each rank
        draws differently, with a seed and without.

    Returns
    -------
    list
        What each rank returned, in the order of the ranks.

    Raises
    ------
    ValueError
        If a number is out of range.
    TypeError
        If the function or an argument cannot be pickled; the message names it.
    RankError
        If a rank raised or its process ended; the message holds its traceback. All others are
        ended at once.
    RankTimeout
        If time was up; the message says where each rank stood.
    RuntimeError
        If called from inside a rank.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> from amdahl_lab.parallel import run_ranks
    >>> run_ranks(lambda: dist.get_rank() ** 2, 3)
    [0, 1, 4]
    """
    if not callable(function):
        raise ValueError(f"function must be callable, got {function!r}")
    workers = _whole("workers", workers, 1, MOST_WORKERS)
    threads = _whole("threads", threads, 1, 1024)
    seed = None if seed is None else _whole("seed", seed, 0, 2**64)
    if isinstance(timeout, bool) or not isinstance(timeout, Real) or not 0 < timeout < 1e6:
        raise ValueError(f"timeout must be seconds, above 0 and below 1000000, got {timeout!r}")
    if _rank.current() is not None:
        raise RuntimeError(
            f"run_ranks was called inside rank {_rank.current()}: ranks cannot start ranks. "
            "Call it from the program that started this run"
        )
    if _torchrun.is_present():
        return _torchrun.run(function, workers, args, kwargs, threads, timeout, seed)
    payload = pack(function, args, kwargs)
    with Run(name_of(function), workers, timeout) as run:
        run.start(payload, threads, seed)
        return run.results()


def _whole(name: str, value: int, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return int(value)
