"""What a comparison can see, and how often it cries wolf."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import stdtrit
from scipy.stats import nct

from amdahl_lab import arguments


def smallest_visible(
    spread: float, rounds: int, *, level: float = 0.95, power: float = 0.8
) -> float:
    """Smallest relative difference that paired rounds will show as often as asked.

    Parameters
    ----------
    spread : float, above 0
        Standard deviation of the logarithm of the ratio of one round, from an A/A comparison.
    rounds : int, at least 2
        Rounds R of the comparison to come.
    level : float, inside 0 to 1
        Level of the interval that must exclude a ratio of 1.
    power : float, between 1 - level and 1
        How often it should, if the difference is there.

    Returns
    -------
    float
        The difference of the logarithms; for small ones, the relative difference.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed. 1988, chapter 2.

    Examples
    --------
    >>> round(smallest_visible(0.02, 10), 4)
    0.0199
    """
    spread = arguments.positive("spread", spread)
    if rounds != int(rounds) or rounds < 2:
        raise ValueError(f"rounds must be a whole number, at least 2, got {rounds!r}")
    if not 0 < level < 1 or not 1 - level < power < 1:
        raise ValueError(f"level and power must be shares, got {level!r} and {power!r}")
    freedom, edge = rounds - 1, stdtrit(rounds - 1, (1 + level) / 2)

    def missing(shift: float) -> float:
        return nct.sf(edge, freedom, shift) - power  # the other side is hit in no case that counts

    shift = brentq(missing, 0.0, 2 * edge + 3)
    return float(spread / np.sqrt(rounds) * shift)


def first_alarm(differences: ArrayLike, looks: ArrayLike, level: float = 0.95) -> np.ndarray:
    """Tell at which look a person who looks again and again would have stopped.

    Parameters
    ----------
    differences : array_like, shape (..., R)
        For each comparison the difference of every round, in order.
    looks : array_like of int, rising, each from 2 to R
        Numbers of rounds after which the interval is computed.
    level : float, inside 0 to 1
        Level of the interval.

    Returns
    -------
    ndarray of int, shape (...)
        Rounds at the first look at which Student's interval excluded 0; 0 if none did.

    Raises
    ------
    ValueError
        If a look has fewer than 2 rounds or more than there are.

    Examples
    --------
    >>> first_alarm([0.1, -0.1, 1.0, 1.1, 0.9, 1.0, 1.0, 1.0], [2, 4, 8]).item()
    8
    """
    values = arguments.finite("differences", differences)
    looks = np.asarray(looks, dtype=int)
    if not looks.size or looks.min() < 2 or looks.max() > values.shape[-1]:
        raise ValueError(f"looks must be from 2 to {values.shape[-1]} rounds, got {looks.tolist()}")
    first = np.zeros(values.shape[:-1], dtype=int)
    for rounds in looks[::-1]:
        seen = values[..., :rounds]
        half = stdtrit(rounds - 1, (1 + level) / 2) * seen.std(axis=-1, ddof=1) / np.sqrt(rounds)
        first = np.where(np.abs(seen.mean(axis=-1)) > half, rounds, first)
    return first
