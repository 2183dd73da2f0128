"""Visible checks: one clear line each, in the notebook, to teach. They give no points.

Marks come from hidden inputs that are asked outside the notebook's process; see `items`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

_RIGHT, _WRONG, _EMPTY = "right", "not right", "not written yet"


def check(label: str, answer: Callable[[], Any], expected: Any, tolerance: float = 1e-6) -> None:
    """Print whether an answer is right. Never raises.

    Parameters
    ----------
    label : str
        What is checked, in a few words.
    answer : callable
        Works out the answer, as ``lambda: speedup(2, 0.5)``. An answer of None means that
        nothing is written yet.
    expected : float, array_like, str, bool, set, tuple or None
        The right answer; arrays must have the same shape.
    tolerance : float
        Relative difference that is allowed between numbers.

    Examples
    --------
    >>> check("2 + 2", lambda: 2 + 2, 4)
    right: 2 + 2
    >>> check("half of 3", lambda: 3 // 2, 1.5)
    not right: half of 3 should be 1.5, and is 1
    >>> check("empty", lambda: None, 4)
    not written yet: empty
    """
    try:
        value = answer()
    except Exception as error:
        print(f"{_WRONG}: {label} stopped with {type(error).__name__}: {error}")
        return
    if value is None or value is ...:
        print(f"{_EMPTY}: {label}")
        return
    try:
        message = _difference(value, expected, tolerance)
    except Exception as error:
        message = f"cannot be compared ({type(error).__name__}: {error})"
    print(f"{_RIGHT}: {label}" if message is None else f"{_WRONG}: {label} {message}")


def _difference(value: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(expected, str | bool | set | type(None)):
        return None if value == expected else f"should be {expected!r}, and is {value!r}"
    wanted, got = np.asarray(expected, dtype=float), np.asarray(value, dtype=float)
    if wanted.shape != got.shape:
        return f"should have shape {wanted.shape}, and has {got.shape}"
    if np.allclose(got, wanted, rtol=tolerance, atol=1e-12, equal_nan=False):
        return None
    return f"should be {_written(wanted)}, and is {_written(got)}"


def _written(array: np.ndarray) -> str:
    return f"{array.item():.6g}" if array.ndim == 0 else np.array2string(array, precision=4)
