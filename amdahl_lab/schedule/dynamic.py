"""Uneven pieces of work, handed out beforehand or whenever a worker is free."""

import heapq

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def static_finish(pieces: ArrayLike, workers: int) -> np.ndarray:
    """When each worker ends if it is given every N-th piece beforehand.

    Parameters
    ----------
    pieces : array_like, at least 0, shape (pieces,)
        Seconds of each piece.
    workers : int, at least 1
        Workers N.

    Returns
    -------
    ndarray, shape (workers,)
        Seconds.

    Raises
    ------
    ValueError
        If a time is negative or there is no worker.

    Examples
    --------
    >>> static_finish([3, 1, 3, 1], 2).tolist()
    [6.0, 2.0]
    """
    seconds, N = _checked(pieces, workers)
    return np.array([seconds[worker::N].sum() for worker in range(N)])


def dynamic_finish(pieces: ArrayLike, workers: int, overhead: float = 0.0) -> np.ndarray:
    """When each worker ends if whoever is free takes the next piece.

    Parameters
    ----------
    pieces : array_like, at least 0, shape (pieces,)
        Seconds of each piece, in the order in which they are handed out.
    workers : int, at least 1
        Workers N.
    overhead : float, at least 0
        Seconds to fetch one piece.

    Returns
    -------
    ndarray, shape (workers,)
        Seconds. The last is at most 2 - 1/N times the best possible.

    Raises
    ------
    ValueError
        If a time is negative or there is no worker.

    References
    ----------
    Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl. Math. 17(2), 1969.

    Examples
    --------
    >>> dynamic_finish([3, 1, 3, 1], 2).tolist()
    [4.0, 4.0]
    """
    seconds, N = _checked(pieces, workers)
    fetch = float(arguments.not_negative("overhead", overhead))
    free = [(0.0, worker) for worker in range(N)]
    for piece in seconds.tolist():
        end, worker = free[0]
        heapq.heapreplace(free, (end + fetch + piece, worker))
    return np.array([end for end, _ in sorted(free, key=lambda entry: entry[1])])


def _checked(pieces: ArrayLike, workers: int) -> tuple[np.ndarray, int]:
    seconds = arguments.not_negative("pieces", pieces)
    if seconds.ndim != 1:
        raise ValueError(f"pieces must have shape (pieces,), got {seconds.shape}")
    return seconds, int(arguments.at_least_one("workers", workers))
