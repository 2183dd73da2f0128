"""What it costs to send: latency and inverse bandwidth, point to point and in collectives.

Every cost is alpha per message plus beta per byte (Hockney's model). Symbols: N workers, n bytes
of the whole buffer, alpha latency in seconds, beta inverse bandwidth in seconds per byte. Nothing
here knows about congestion, overlap or the second mode of small messages: those are measured.

References
----------
Hockney, "The communication challenge for MPP: Intel Paragon and Meiko CS-2", Parallel Computing
20(3), 1994 (the two-parameter model). Thakur, Rabenseifner and Gropp, "Optimization of Collective
Communication Operations in MPICH", IJHPCA 19(1), 2005 (the costs of the algorithms).
"""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments

ALL_REDUCES = ("ring", "halving-doubling", "tree")


def send_seconds(
    size: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> np.ndarray | float:
    """Time of one message: alpha + n beta.

    Parameters
    ----------
    size : array_like, at least 0
        Bytes n.
    latency : array_like, at least 0
        Seconds alpha before the first byte arrives.
    inverse_bandwidth : array_like, at least 0
        Seconds beta for each byte.

    Returns
    -------
    ndarray or float
        Seconds.

    Raises
    ------
    ValueError
        If an argument is negative or not finite, or the shapes do not match.

    Examples
    --------
    >>> round(send_seconds(25e6, 5e-6, 1 / 25e9), 6)
    0.001005
    """
    n, alpha, beta = _checked(size, latency, inverse_bandwidth)
    return arguments.unwrapped(alpha + n * beta)


def all_reduce_seconds(
    size: ArrayLike,
    workers: ArrayLike,
    latency: ArrayLike,
    inverse_bandwidth: ArrayLike,
    algorithm: str = "ring",
) -> np.ndarray | float:
    """Time after which every worker holds the sum of all workers' buffers.

    Parameters
    ----------
    size : array_like, at least 0
        Bytes n of each worker's buffer.
    workers : array_like, at least 1
        Number of workers N.
    latency, inverse_bandwidth : array_like, at least 0
        Seconds alpha per message and seconds beta per byte of one link.
    algorithm : {"ring", "halving-doubling", "tree"}
        ring: 2 (N - 1) alpha + 2 (N - 1) / N n beta. halving-doubling: the same bytes in
        2 ceil(log2 N) messages, exact where N is a power of two. tree: a reduce and a broadcast
        along a binomial tree, 2 ceil(log2 N) (alpha + n beta).

    Returns
    -------
    ndarray or float
        Seconds; 0 for one worker.

    Raises
    ------
    ValueError
        If a number is out of range, the shapes do not match or the algorithm is not known.

    References
    ----------
    Thakur, Rabenseifner and Gropp 2005, section 4.4. The bytes of the ring are the least possible:
    Patarasuk and Yuan, J. Parallel Distrib. Comput. 69(2), 2009.

    Examples
    --------
    A ring of 4 sends its buffer one and a half times over each link:

    >>> all_reduce_seconds(1e9, 4, 0, 1e-9)
    1.5
    """
    if algorithm not in ALL_REDUCES:
        raise ValueError(f"algorithm must be one of {ALL_REDUCES}, got {algorithm!r}")
    n, alpha, beta, N = _collective(size, workers, latency, inverse_bandwidth)
    if algorithm == "tree":
        return arguments.unwrapped(2 * _rounds(N) * (alpha + n * beta))
    messages = N - 1 if algorithm == "ring" else _rounds(N)
    return arguments.unwrapped(2 * messages * alpha + 2 * (N - 1) / N * n * beta)


def reduce_scatter_seconds(
    size: ArrayLike, workers: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> np.ndarray | float:
    """Time after which each worker holds its N-th part of the sum: half a ring all-reduce.

    Parameters
    ----------
    size : array_like, at least 0
        Bytes n of the whole buffer, before it is scattered.
    workers : array_like, at least 1
        Number of workers N.
    latency, inverse_bandwidth : array_like, at least 0
        Seconds alpha per message and seconds beta per byte of one link.

    Returns
    -------
    ndarray or float
        Seconds, (N - 1) alpha + (N - 1) / N n beta.

    Raises
    ------
    ValueError
        If a number is out of range or the shapes do not match.

    Examples
    --------
    >>> reduce_scatter_seconds(1e9, 4, 0, 1e-9)
    0.75
    """
    n, alpha, beta, N = _collective(size, workers, latency, inverse_bandwidth)
    return arguments.unwrapped((N - 1) * (alpha + n * beta / N))


def all_gather_seconds(
    size: ArrayLike, workers: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> np.ndarray | float:
    """Time after which every worker holds all N parts: a reduce-scatter backwards.

    `size` is the whole buffer, after it is gathered; arguments, result and errors are those of
    `reduce_scatter_seconds`.

    Examples
    --------
    >>> all_gather_seconds(1e9, 4, 0, 1e-9)
    0.75
    """
    return reduce_scatter_seconds(size, workers, latency, inverse_bandwidth)


def all_to_all_seconds(
    size: ArrayLike, workers: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> np.ndarray | float:
    """Time in which each worker sends a different N-th part of its buffer to each other worker.

    `size` is one worker's whole buffer, of which it keeps one part. The messages go one after the
    other (pairwise exchange), so arguments, result and errors are those of
    `reduce_scatter_seconds`.

    Examples
    --------
    >>> all_to_all_seconds(1e9, 4, 0, 1e-9)
    0.75
    """
    return reduce_scatter_seconds(size, workers, latency, inverse_bandwidth)


def broadcast_seconds(
    size: ArrayLike, workers: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> np.ndarray | float:
    """Time after which one worker's buffer has reached all N along a binomial tree.

    Parameters are those of `all_reduce_seconds`; the result is ceil(log2 N) (alpha + n beta).

    Examples
    --------
    >>> broadcast_seconds(0, [2, 8, 9], 1.0, 0).tolist()
    [1.0, 3.0, 4.0]
    """
    n, alpha, beta, N = _collective(size, workers, latency, inverse_bandwidth)
    return arguments.unwrapped(_rounds(N) * (alpha + n * beta))


def two_level_all_reduce_seconds(
    size: ArrayLike,
    inner_workers: ArrayLike,
    outer_workers: ArrayLike,
    inner: tuple[float, float],
    outer: tuple[float, float],
) -> np.ndarray | float:
    """Time of an all-reduce that sums inside each node first.

    Reduce-scatter inside the node, ring all-reduce of each part between nodes, all-gather inside.
    Each worker of a node has its own link to the outside.

    Parameters
    ----------
    size : array_like, at least 0
        Bytes n of each worker's buffer.
    inner_workers, outer_workers : array_like, at least 1
        Workers of one node, and nodes.
    inner, outer : pair of float
        (latency, inverse bandwidth) of a link inside a node and of one between nodes.

    Returns
    -------
    ndarray or float
        Seconds.

    Raises
    ------
    ValueError
        If a number is out of range or the shapes do not match.

    Examples
    --------
    >>> two_level_all_reduce_seconds(8e9, 8, 2, (0, 1e-9), (0, 1e-8))
    24.0
    """
    inside = reduce_scatter_seconds(size, inner_workers, *inner)
    part = np.asarray(size, dtype=float) / np.asarray(inner_workers, dtype=float)
    return arguments.unwrapped(2 * inside + all_reduce_seconds(part, outer_workers, *outer))


def _checked(size: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike) -> tuple:
    n = arguments.not_negative("size", size)
    alpha = arguments.not_negative("latency", latency)
    beta = arguments.not_negative("inverse_bandwidth", inverse_bandwidth)
    arguments.together(size=n, latency=alpha, inverse_bandwidth=beta)
    return n, alpha, beta


def _collective(
    size: ArrayLike, workers: ArrayLike, latency: ArrayLike, inverse_bandwidth: ArrayLike
) -> tuple:
    n, alpha, beta = _checked(size, latency, inverse_bandwidth)
    N = arguments.at_least_one("workers", workers)
    arguments.together(size=n, workers=N, latency=alpha, inverse_bandwidth=beta)
    return n, alpha, beta, N


def _rounds(workers: np.ndarray) -> np.ndarray:
    return np.ceil(np.log2(workers))
