"""Plans that no other plan beats in both time and cost."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def frontier(seconds: ArrayLike, cost: ArrayLike) -> np.ndarray:
    """Find the plans for which no other is at least as fast and as cheap, and better in one.

    Parameters
    ----------
    seconds, cost : array_like, finite and above 0, shape (plans,)
        Time and cost of each plan.

    Returns
    -------
    ndarray of int
        The plans' places, fastest first. Of equal plans the first is kept.

    Raises
    ------
    ValueError
        If a value is out of range or the shapes differ.

    Examples
    --------
    >>> frontier([4, 2, 3, 1], [1, 2, 3, 8]).tolist()
    [3, 1, 0]
    """
    time, price = _plans(seconds, cost)
    order = np.lexsort((price, time))
    lowest = np.minimum.accumulate(price[order])
    better = np.concatenate([[True], price[order][1:] < lowest[:-1]])
    return order[better]


def cheapest(seconds: ArrayLike, cost: ArrayLike, deadline: float) -> int | None:
    """Find the cheapest plan that is done by the deadline.

    Parameters
    ----------
    seconds, cost : array_like, finite and above 0, shape (plans,)
        Time and cost of each plan.
    deadline : float, above 0
        Seconds.

    Returns
    -------
    int or None
        Its place; the fastest of equally cheap ones; None where no plan is in time.

    Raises
    ------
    ValueError
        If a value is out of range or the shapes differ.

    Examples
    --------
    >>> cheapest([4, 2, 3, 1], [1, 2, 3, 8], deadline=3)
    1
    """
    time, price = _plans(seconds, cost)
    limit = float(arguments.positive("deadline", deadline))
    in_time = np.flatnonzero(time <= limit)
    if in_time.size == 0:
        return None
    return int(in_time[np.lexsort((time[in_time], price[in_time]))[0]])


def _plans(seconds: ArrayLike, cost: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    time = np.atleast_1d(arguments.positive("seconds", seconds))
    price = np.atleast_1d(arguments.positive("cost", cost))
    if time.shape != price.shape or time.ndim != 1:
        raise ValueError(
            f"seconds and cost must be of the same plans, got shapes {time.shape} and {price.shape}"
        )
    return time, price
