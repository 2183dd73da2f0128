"""The Universal Scalability Law: contention as in Amdahl's law, and coherency."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def usl_speedup(
    workers: ArrayLike, contention: ArrayLike, coherency: ArrayLike
) -> np.ndarray | float:
    """Speedup when workers queue for something shared and also keep each other up to date.

    Parameters
    ----------
    workers : array_like, finite and at least 1
        Number of workers N.
    contention : array_like, between 0 and 1
        Share sigma of the work that queues; with no coherency cost it is Amdahl's s.
    coherency : array_like, finite and at least 0
        Cost kappa of each ordered pair of workers that exchange, as a share of the one-worker time.

    Returns
    -------
    ndarray or float
        S = N / (1 + sigma (N - 1) + kappa N (N - 1)).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Gunther, "A General Theory of Computational Scalability Based on Rational Functions", 2008,
    arXiv:0808.1431, where sigma and kappa are called alpha and beta in places.

    Examples
    --------
    >>> usl_speedup([1, 10, 30], 0.05, 0.001).round(3).tolist()
    [1.0, 6.494, 9.036]
    """
    N = arguments.at_least_one("workers", workers)
    sigma = arguments.fraction("contention", contention)
    kappa = arguments.not_negative("coherency", coherency)
    arguments.together(workers=N, contention=sigma, coherency=kappa)
    # Divided through by N, so that a huge N cannot overflow to inf / inf.
    return arguments.unwrapped(1 / (1 / N + sigma * (1 - 1 / N) + kappa * (N - 1)))


def usl_peak(contention: ArrayLike, coherency: ArrayLike) -> np.ndarray | float:
    """Workers at which the Universal Scalability Law peaks.

    Parameters
    ----------
    contention : array_like, between 0 and 1
        Share sigma of the work that queues.
    coherency : array_like, finite and at least 0
        Cost kappa of each ordered pair of workers that exchange.

    Returns
    -------
    ndarray or float
        N = sqrt((1 - sigma) / kappa), not rounded, at least 1; inf for kappa = 0 and sigma < 1.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    Gunther, "A General Theory of Computational Scalability Based on Rational Functions", 2008,
    arXiv:0808.1431.

    Examples
    --------
    >>> usl_peak(0.1, 0.001)
    30.0
    """
    sigma = arguments.fraction("contention", contention)
    kappa = arguments.not_negative("coherency", coherency)
    arguments.together(contention=sigma, coherency=kappa)
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = np.where(sigma == 1, 1.0, np.sqrt((1 - sigma) / kappa))
    return arguments.unwrapped(np.maximum(peak, 1.0))


def usl_peak_speedup(contention: ArrayLike, coherency: ArrayLike) -> np.ndarray | float:
    """Largest speedup that the Universal Scalability Law allows.

    Parameters
    ----------
    contention : array_like, between 0 and 1
        Share sigma of the work that queues.
    coherency : array_like, finite and at least 0
        Cost kappa of each ordered pair of workers that exchange.

    Returns
    -------
    ndarray or float
        S at `usl_peak`; the limit 1 / sigma where there is no coherency cost.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> round(usl_peak_speedup(0.1, 0.001), 4)
    6.2893
    """
    peak = np.asarray(usl_peak(contention, coherency))
    sigma, kappa, peak = np.broadcast_arrays(contention, coherency, peak)
    finite = np.isfinite(peak)
    with np.errstate(divide="ignore"):
        limit = 1 / sigma.astype(float)
    return arguments.unwrapped(
        np.where(finite, usl_speedup(np.where(finite, peak, 1.0), sigma, kappa), limit)
    )
