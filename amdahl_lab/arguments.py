"""What public functions accept: each check returns a float array or raises one clear ValueError."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _checked(
    name: str,
    value: ArrayLike,
    allowed: str,
    is_allowed: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {allowed}, got {value!r}") from None
    if array.size == 0:
        raise ValueError(f"{name} must be {allowed}, got an empty array")
    wrong = ~is_allowed(array)  # a NaN fails every comparison, so it is wrong too
    if wrong.any():
        raise ValueError(f"{name} must be {allowed}, got {array[wrong].flat[0]:g}")
    return array


def fraction(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each between 0 and 1 inclusive."""
    return _checked(name, value, "between 0 and 1", lambda x: (x >= 0) & (x <= 1))


def positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each finite and above 0."""
    return _checked(name, value, "finite and above 0", lambda x: (x > 0) & np.isfinite(x))


def finite(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each finite."""
    return _checked(name, value, "finite", np.isfinite)


def not_negative(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each finite and at least 0."""
    return _checked(name, value, "finite and at least 0", lambda x: (x >= 0) & np.isfinite(x))


def at_least_one(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each finite and at least 1."""
    return _checked(name, value, "finite and at least 1", lambda x: (x >= 1) & np.isfinite(x))


def above_one(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return `value` as floats, each finite and above 1."""
    return _checked(name, value, "finite and above 1", lambda x: (x > 1) & np.isfinite(x))


def together(**arrays: NDArray[np.float64]) -> None:
    """Refuse arrays whose shapes do not broadcast, naming each argument and its shape."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes do not match: {shapes}") from None


def unwrapped(array: ArrayLike) -> NDArray[np.float64] | float:
    """Return a plain float for a 0-d array and any other array as it is."""
    array = np.asarray(array, dtype=float)
    return array.item() if array.ndim == 0 else array
