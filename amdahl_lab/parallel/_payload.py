"""A function and its arguments as bytes, by value, so that a notebook's function travels too."""

import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cloudpickle


def pack(function: Callable, args: Sequence, kwargs: Mapping[str, Any]) -> bytes:
    """Pickle a call.

    Parameters
    ----------
    function : callable
        From a module, a notebook, a closure, a lambda.
    args, kwargs
        What it is called with.

    Returns
    -------
    bytes
        The pickle of ``(function, args, kwargs)``.

    Raises
    ------
    TypeError
        If a part cannot be pickled; the message names the part.
    """
    try:
        return cloudpickle.dumps((function, tuple(args), dict(kwargs)))
    except Exception as error:
        raise TypeError(
            f"{_culprit(function, args, kwargs)} cannot be sent to the ranks: {error}. "
            "Ranks are processes of their own: make such an object inside the function, "
            "and pass plain data, arrays or tensors"
        ) from error


def sources() -> dict[str, tuple]:
    """Return the source lines that exist in this process only, such as a notebook's cells.

    A rank puts them into its own `linecache`, so that its tracebacks show the lines.
    """
    return {
        name: entry
        for name, entry in list(linecache.cache.items())
        if len(entry) == 4 and entry[1] is None  # no file to have a modification time
    }


def name_of(function: Callable) -> str:
    """Return the name that a reader knows the function by."""
    return getattr(function, "__qualname__", None) or repr(function)


def _culprit(function: Callable, args: Sequence, kwargs: Mapping[str, Any]) -> str:
    for position, value in enumerate(args):
        if not _can_pickle(value):
            return f"argument {position} of {name_of(function)}, a {type(value).__name__},"
    for name, value in kwargs.items():
        if not _can_pickle(value):
            return f"argument {name!r} of {name_of(function)}, a {type(value).__name__},"
    for name, value in _outside_names(function):
        if not _can_pickle(value):
            return (
                f"the function {name_of(function)}, which uses {name!r}, a {type(value).__name__},"
            )
    return f"the function {name_of(function)}"


def _can_pickle(value: object) -> bool:
    try:
        cloudpickle.dumps(value)
    except Exception:
        return False
    return True


def _outside_names(function: Callable) -> list[tuple[str, object]]:
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    found = [(name, cell.cell_contents) for name, cell in cells]
    known = function.__globals__
    return found + [(name, known[name]) for name in code.co_names if name in known]
