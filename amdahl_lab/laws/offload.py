"""A faster part behind a door: what it brings when its data must be carried there and back."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def offload_speedup(
    fraction: ArrayLike, factor: ArrayLike, transfer: ArrayLike = 0.0
) -> np.ndarray | float:
    """Speedup of the whole when a part moves to a faster device and its data with it.

    Parameters
    ----------
    fraction : array_like, between 0 and 1
        Share f of the original time spent in the part.
    factor : array_like, finite and above 0
        How many times as fast the device works the part off, k.
    transfer : array_like, at least 0
        Time c of carrying the data, as a share of the original time of the whole.

    Returns
    -------
    ndarray or float
        S = 1 / ((1 - f) + f / k + c). Nothing overlaps.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(offload_speedup(0.9, 80, 0.1), 2)
    4.73
    """
    f = arguments.fraction("fraction", fraction)
    k = arguments.positive("factor", factor)
    c = arguments.not_negative("transfer", transfer)
    arguments.together(fraction=f, factor=k, transfer=c)
    return arguments.unwrapped(1 / ((1 - f) + f / k + c))


def break_even_transfer(fraction: ArrayLike, factor: ArrayLike) -> np.ndarray | float:
    """Transfer time at which offloading brings nothing: c = f (1 - 1/k).

    Parameters
    ----------
    fraction : array_like, between 0 and 1
        Share f of the original time spent in the part.
    factor : array_like, finite and above 0
        How many times as fast the device is, k.

    Returns
    -------
    ndarray or float
        As a share of the original time; below 0 for a device that is slower.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> break_even_transfer(0.9, 10)
    0.81
    """
    f = arguments.fraction("fraction", fraction)
    k = arguments.positive("factor", factor)
    arguments.together(fraction=f, factor=k)
    return arguments.unwrapped(f * (1 - 1 / k))


def break_even_side(
    rate: float, factor: float, latency: float, inverse_bandwidth: float, width: float = 4.0
) -> float:
    """Side from which on a product of two square matrices is worth carrying away.

    The product does 2 n^3 FLOPs, and three matrices of w n^2 bytes are carried. Offloading pays
    when what the device saves, 2 n^3 (1 - 1/k) / r, exceeds alpha + 3 w n^2 beta.

    Parameters
    ----------
    rate : float, above 0
        FLOPs per second of the host, r.
    factor : float, above 0
        How many times as fast the device is, k.
    latency : float, at least 0
        Seconds of an empty transfer there and back, alpha.
    inverse_bandwidth : float, at least 0
        Seconds per byte carried, beta.
    width : float, above 0
        Bytes of a number, w.

    Returns
    -------
    float
        The side n*, not rounded; inf for a device that is no faster.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    Without latency n* = 3 w beta r k / (2 (k - 1)):

    >>> round(break_even_side(100e9, 2, 0, 1e-9), 6)
    1200.0
    """
    for name, value in (("rate", rate), ("factor", factor), ("width", width)):
        arguments.positive(name, value)
    arguments.not_negative("latency", latency)
    arguments.not_negative("inverse_bandwidth", inverse_bandwidth)
    if factor <= 1:
        return np.inf
    saved = 2 * (1 - 1 / factor) / rate
    roots = np.roots([saved, -3 * width * inverse_bandwidth, 0.0, -latency])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-6 * max(abs(root), 1)))
