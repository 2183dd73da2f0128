"""Which parameters the same few points allow: a likelihood over two of them at once."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def usl_ridge(
    workers: ArrayLike,
    seconds: ArrayLike,
    spread: float,
    contention: ArrayLike,
    coherency: ArrayLike,
) -> np.ndarray:
    """How much worse each pair of contention and coherency explains the times than the best one.

    Parameters
    ----------
    workers, seconds : array_like, shape (K,)
        Numbers of workers, and times, of the whole or of a sample.
    spread : float, above 0
        Standard deviation of a time, as a share of it.
    contention : array_like, shape (P,)
        Values of sigma.
    coherency : array_like, shape (Q,)
        Values of kappa.

    Returns
    -------
    ndarray, shape (P, Q)
        Twice the logarithm of the best likelihood on the grid over that of the pair, the time on
        one worker at its best for each pair. Below 5.99 a pair is in the 95% region of two
        parameters.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Wilks, "The Large-Sample Distribution of the Likelihood Ratio for Testing Composite
    Hypotheses", Annals of Mathematical Statistics 9(1), 1938.
    """
    N = arguments.at_least_one("workers", workers)
    logs = np.log(arguments.positive("seconds", seconds))
    arguments.positive("spread", spread)
    arguments.together(workers=N, seconds=logs)
    sigma = arguments.not_negative("contention", contention)[:, None, None]
    kappa = arguments.not_negative("coherency", coherency)[None, :, None]
    rest = logs - np.log(1 / N + sigma * (1 - 1 / N) + kappa * (N - 1))
    rest = rest - rest.mean(axis=-1, keepdims=True)
    squares = (rest**2).sum(axis=-1) / spread**2
    return squares - squares.min()
