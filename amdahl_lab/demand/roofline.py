"""The roofline: whichever of arithmetic and memory takes longer sets the time."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def intensity(flops: ArrayLike, moved: ArrayLike) -> np.ndarray | float:
    """FLOPs for each byte moved.

    Parameters
    ----------
    flops : array_like, at least 0
        FLOPs of the work.
    moved : array_like, above 0
        Bytes it moves to and from memory.

    Returns
    -------
    ndarray or float
        FLOPs per byte.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.
    """
    F = arguments.not_negative("flops", flops)
    Q = arguments.positive("moved", moved)
    arguments.together(flops=F, moved=Q)
    return arguments.unwrapped(F / Q)


def ridge(peak_flops: ArrayLike, bandwidth: ArrayLike) -> np.ndarray | float:
    """Intensity at which memory and arithmetic take equally long.

    Parameters
    ----------
    peak_flops, bandwidth : array_like, above 0
        FLOPs per second and bytes per second.

    Returns
    -------
    ndarray or float
        FLOPs per byte.

    Raises
    ------
    ValueError
        If an argument is not above 0 or the shapes do not match.

    Examples
    --------
    An A100-80GB in bf16:

    >>> round(ridge(312e12, 2039e9))
    153
    """
    P = arguments.positive("peak_flops", peak_flops)
    B = arguments.positive("bandwidth", bandwidth)
    arguments.together(peak_flops=P, bandwidth=B)
    return arguments.unwrapped(P / B)


def attainable_flops(
    intensity: ArrayLike, peak_flops: ArrayLike, bandwidth: ArrayLike
) -> np.ndarray | float:
    """Highest rate at an intensity: the peak, or what memory can feed.

    Parameters
    ----------
    intensity : array_like, at least 0
        FLOPs per byte.
    peak_flops, bandwidth : array_like, above 0
        FLOPs per second and bytes per second.

    Returns
    -------
    ndarray or float
        FLOPs per second, min(peak, intensity x bandwidth).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009, doi:10.1145/1498765.1498785.

    Examples
    --------
    >>> attainable_flops([1, 1000], 312e12, 2e12).tolist()
    [2000000000000.0, 312000000000000.0]
    """
    x = arguments.not_negative("intensity", intensity)
    P = arguments.positive("peak_flops", peak_flops)
    B = arguments.positive("bandwidth", bandwidth)
    arguments.together(intensity=x, peak_flops=P, bandwidth=B)
    return arguments.unwrapped(np.minimum(P, x * B))


def roofline_seconds(
    flops: ArrayLike, moved: ArrayLike, peak_flops: ArrayLike, bandwidth: ArrayLike
) -> np.ndarray | float:
    """Least time of some work: the longer of its arithmetic and its traffic.

    Parameters
    ----------
    flops, moved : array_like, at least 0
        FLOPs and bytes of the work.
    peak_flops, bandwidth : array_like, above 0
        FLOPs per second and bytes per second.

    Returns
    -------
    ndarray or float
        Seconds. It assumes that the two overlap in full; where they do not, the sum bounds it.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> roofline_seconds(312e12, 2e12, 312e12, 1e12)
    2.0
    """
    F = arguments.not_negative("flops", flops)
    Q = arguments.not_negative("moved", moved)
    P = arguments.positive("peak_flops", peak_flops)
    B = arguments.positive("bandwidth", bandwidth)
    arguments.together(flops=F, moved=Q, peak_flops=P, bandwidth=B)
    return arguments.unwrapped(np.maximum(F / P, Q / B))
