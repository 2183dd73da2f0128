"""Workers of unequal speed: who gets how much of a fixed amount of work."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def balanced_split(work: float, per_unit: ArrayLike, fixed: ArrayLike = 0.0) -> np.ndarray:
    """Share out work so that all workers end together.

    Worker i takes a_i + b_i n_i seconds for n_i units. With sum n_i = W they end together at
    tau = (W + sum a_i / b_i) / sum (1 / b_i), and n_i = (tau - a_i) / b_i. A worker that could not
    even start before tau gets nothing.

    Parameters
    ----------
    work : float, above 0
        Units of work W.
    per_unit : array_like, shape (N,), above 0
        Seconds b_i of a unit on each worker.
    fixed : array_like, shape (N,) or scalar, at least 0
        Seconds a_i that a worker needs whatever its share.

    Returns
    -------
    ndarray, shape (N,)
        Units n_i, not rounded.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    One worker twice as fast as the other gets two thirds:

    >>> balanced_split(90, [1.0, 2.0]).tolist()
    [60.0, 30.0]
    """
    W = float(arguments.positive("work", work))
    b = np.atleast_1d(arguments.positive("per_unit", per_unit))
    a = arguments.not_negative("fixed", fixed)
    arguments.together(per_unit=b, fixed=a)
    a, n = np.broadcast_to(a, b.shape), np.zeros(b.shape)
    takes_part = np.ones(b.shape, dtype=bool)
    while True:
        tau = (W + np.sum(a[takes_part] / b[takes_part])) / np.sum(1 / b[takes_part])
        late = takes_part & (a >= tau)
        if not late.any():
            break
        takes_part &= ~late
    n[takes_part] = (tau - a[takes_part]) / b[takes_part]
    return n


def even_split_loss(per_unit: ArrayLike) -> float:
    """How many times as long an even split takes as the best, without fixed times.

    Parameters
    ----------
    per_unit : array_like, shape (N,), above 0
        Seconds of a unit on each worker.

    Returns
    -------
    float
        (largest b) x (sum 1/b) / N, the slowest worker's time against that of the best split.

    Raises
    ------
    ValueError
        If a time is not above 0.

    Examples
    --------
    >>> even_split_loss([1.0, 2.0])
    1.5
    """
    b = np.atleast_1d(arguments.positive("per_unit", per_unit))
    return float(b.max() * np.sum(1 / b) / b.size)
