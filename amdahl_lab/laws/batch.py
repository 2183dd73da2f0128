"""What a larger batch buys: steps and samples to a target, with the critical batch size."""

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab import arguments


def steps_to_target(
    batch: ArrayLike, fewest_steps: ArrayLike, critical_batch: ArrayLike
) -> np.ndarray | float:
    """Steps that training takes to a target, given the batch.

    Parameters
    ----------
    batch : array_like, finite and above 0
        Samples B of a step.
    fewest_steps : array_like, finite and above 0
        Steps S_min that a batch without limit would take.
    critical_batch : array_like, finite and at least 0
        Batch at which twice as many steps are needed.

    Returns
    -------
    ndarray or float
        S = S_min (1 + B_crit / B).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    References
    ----------
    McCandlish, Kaplan and Amodei, "An Empirical Model of Large-Batch Training", 2018,
    arXiv:1812.06162: (S / S_min - 1) (E / E_min - 1) = 1, solved for S with E = B S and
    E_min = S_min B_crit.

    Examples
    --------
    >>> steps_to_target([64, 128, 256], 100, 128).tolist()
    [300.0, 200.0, 150.0]
    """
    B, fewest, critical = _checked(batch, fewest_steps, critical_batch)
    return arguments.unwrapped(fewest * (1 + critical / B))


def samples_to_target(
    batch: ArrayLike, fewest_steps: ArrayLike, critical_batch: ArrayLike
) -> np.ndarray | float:
    """Samples that training goes through to a target, given the batch.

    Parameters
    ----------
    batch, fewest_steps, critical_batch : array_like
        As for `steps_to_target`.

    Returns
    -------
    ndarray or float
        E = B S = S_min (B + B_crit), a straight line from E_min = S_min B_crit.

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> samples_to_target([64, 128, 256], 100, 128).tolist()
    [19200.0, 25600.0, 38400.0]
    """
    B, fewest, critical = _checked(batch, fewest_steps, critical_batch)
    return arguments.unwrapped(fewest * (B + critical))


def batch_speedup(
    growth: ArrayLike, batch: ArrayLike, critical_batch: ArrayLike
) -> np.ndarray | float:
    """How many times fewer steps a batch that is `growth` times as large takes.

    Parameters
    ----------
    growth : array_like, finite and at least 1
        Factor k on the batch: the workers of a weak scaling study without overhead.
    batch, critical_batch : array_like
        As for `steps_to_target`; the critical batch above 0.

    Returns
    -------
    ndarray or float
        (1 + B_crit / B) / (1 + B_crit / (k B)). It is Amdahl's law in k, with the serial fraction
        B / (B + B_crit).

    Raises
    ------
    ValueError
        If an argument is out of range or the shapes do not match.

    Examples
    --------
    >>> batch_speedup([1, 2, 1e9], 64, 192).round(3).tolist()
    [1.0, 1.6, 4.0]
    """
    k = arguments.at_least_one("growth", growth)
    B = arguments.positive("batch", batch)
    critical = arguments.positive("critical_batch", critical_batch)
    arguments.together(growth=k, batch=B, critical_batch=critical)
    return arguments.unwrapped((1 + critical / B) / (1 + critical / (k * B)))


def _checked(batch: ArrayLike, fewest: ArrayLike, critical: ArrayLike) -> tuple:
    B = arguments.positive("batch", batch)
    fewest = arguments.positive("fewest_steps", fewest)
    critical = arguments.not_negative("critical_batch", critical)
    arguments.together(batch=B, fewest_steps=fewest, critical_batch=critical)
    return B, fewest, critical
