"""From measured times of a collective to the latency and bandwidth of a link, with intervals.

In Hockney's model the time of a collective is a straight line in the bytes n of its buffer,
T(n) = a alpha + b beta n, where a and b follow from the algorithm and the number of workers. The
line is fitted by least squares on relative errors, because a clock that is 3% off is 3% off at
every size. The intervals refit it to draws of the typical time at each size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments
from amdahl_lab.communication import all_reduce_seconds
from amdahl_lab.records import Interval
from amdahl_lab.statistics import draws_interval, mean_time_interval, pivotal_draws

DRAWS = 4000


@dataclass(frozen=True)
class LinkFit:
    """Latency and bandwidth of a link, fitted to times of a collective that used it.

    Parameters
    ----------
    sizes : tuple of int
        Bytes of the buffers that were timed.
    workers : int
        Number of workers N that took part.
    latency : Interval
        Seconds alpha for each message; the ends are kept at 0 or above.
    bandwidth : Interval
        Bytes per second 1 / beta of one link in one direction; its upper end is infinite where
        the times do not show that more bytes take longer.
    """

    sizes: tuple[int, ...]
    workers: int
    latency: Interval
    bandwidth: Interval


def fit_latency_bandwidth(
    seconds: Mapping[int, ArrayLike],
    workers: int,
    *,
    rng: np.random.Generator,
    collective: Callable[..., float] = all_reduce_seconds,
    level: float = 0.95,
    draws: int = DRAWS,
) -> LinkFit:
    """Fit the latency and the bandwidth of the links that a collective used.

    Parameters
    ----------
    seconds : mapping of int to array_like of shape (R,), R at least 2
        For each size in bytes the times of R rounds. Sizes should reach from where latency
        decides to where bandwidth does.
    workers : int, at least 2
        Number of workers N that took part.
    rng : numpy.random.Generator
        Source of the draws behind the intervals.
    collective : callable
        The cost of the collective that was timed, such as `communication.all_gather_seconds`: from
        size, workers, latency and inverse bandwidth to seconds. A ring all-reduce where it is
        not given.
    level : float, inside 0 to 1
        Confidence level.
    draws : int
        Number of draws.

    Returns
    -------
    LinkFit
        Latency and bandwidth, with intervals.

    Raises
    ------
    ValueError
        If there is one worker or one size only, a single round, or the times do not grow with
        the size.

    References
    ----------
    The model: Hockney 1994, see `communication`. The interval: `statistics.pivotal_draws`.

    Examples
    --------
    A ring of two sends its whole buffer once, in two messages:

    >>> rng = np.random.default_rng(0)
    >>> times = {n: [0.002 + n / 1e7, 0.002 + n / 1e7] for n in (10_000, 100_000, 1_000_000)}
    >>> print(f"{fit_latency_bandwidth(times, 2, rng=rng).bandwidth.estimate:.4g} bytes/s")
    1e+07 bytes/s
    """
    if workers < 2:
        raise ValueError(f"workers must be at least 2 for them to communicate, got {workers!r}")
    sizes = sorted(seconds)
    if len(sizes) < 2:
        raise ValueError(
            f"seconds must hold at least two sizes, got {sizes}: times of one size fit every "
            "pair of latency and bandwidth"
        )
    n = arguments.positive("sizes", sizes)
    typical = np.array([[mean_time_interval(seconds[size]).estimate for size in sizes]])
    drawn = np.stack([pivotal_draws(seconds[size], draws, rng) for size in sizes], axis=1)
    messages, share = collective(0, workers, 1, 0), collective(1, workers, 0, 1)
    intercept, slope = _lines(n, typical)
    if slope[0] <= 0:
        raise ValueError(
            "seconds must grow with the size, got times that do not: they show no bandwidth. "
            "Time larger buffers"
        )
    intercepts, slopes = _lines(n, drawn)
    inverse_bandwidth = draws_interval(slope[0] / share, slopes / share, level)
    return LinkFit(
        tuple(int(size) for size in sizes),
        int(workers),
        draws_interval(
            max(0.0, intercept[0]) / messages, np.maximum(intercepts, 0.0) / messages, level
        ),
        _inverse(inverse_bandwidth),
    )


def _lines(x: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a line to each row of times (D, K) with relative errors; return intercepts and slopes."""
    weights = 1 / times**2
    scaled = x / x.max()
    w, wx, wxx = weights.sum(1), weights @ scaled, weights @ scaled**2
    wt, wtx = (weights * times).sum(1), (weights * times) @ scaled
    determinant = w * wxx - wx**2
    slope = (w * wtx - wx * wt) / determinant / x.max()
    return (wxx * wt - wx * wtx) / determinant, slope


def _inverse(beta: Interval) -> Interval:
    """Turn an inverse bandwidth round; an end that is not above 0 becomes infinite."""
    low = 1 / beta.high
    return Interval(1 / beta.estimate, low, 1 / beta.low if beta.low > 0 else np.inf, beta.level)
