"""How grader and probe write values for each other: numbers, text, lists, and nothing else.

Both sides use this module, so it imports no more than numpy. A question is one line of code for
the kernel; all of its content is a JSON text inside it.
"""

import json
import math
from typing import Any

import numpy as np

GREETING = "__import__('amdahl_lab.grading.probe', fromlist=['greet']).greet()"


def question(kind: str, content: dict[str, Any]) -> str:
    """Code that puts a question to the probe in a kernel."""
    text = json.dumps({"kind": kind, **content})
    return f"__import__('amdahl_lab.grading.probe', fromlist=['answer']).answer({text!r})"


def packed(value: Any) -> Any:
    """Plain form of an argument for a student's function: arrays and dictionaries stay such."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    if isinstance(value, dict):
        return {"dict": [[key, packed(one)] for key, one in value.items()]}
    if isinstance(value, np.generic):
        return value.item()
    return value


def unpacked(value: Any) -> Any:
    """Argument for a student's function from its plain form."""
    if isinstance(value, dict) and "dict" in value:
        return {key: unpacked(one) for key, one in value["dict"]}
    return np.array(value["array"]) if isinstance(value, dict) else value


def plain(value: Any, depth: int = 0) -> Any:
    """Plain form of what a student's function returned; the name of its type if there is none."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)
    if depth > 6:
        return {"type": "nested too deeply"}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, dict):
        return {"dict": [[str(key), plain(item, depth + 1)] for key, item in value.items()]}
    for method in ("tolist", "to_list"):  # numpy, torch, pandas
        if hasattr(type(value), method):
            return plain(getattr(value, method)(), depth + 1)
    return {"type": type(value).__name__}


def deeper_than(value: Any, most: int) -> bool:
    """Whether lists and dictionaries lie in each other more than `most` times."""
    level = [value]
    for _ in range(most + 1):
        level = [one for one in level if isinstance(one, list | dict)]
        if not level:
            return False
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return True


def number(value: Any) -> float | None:
    """`value` as a float if it is a plain number, else None. Truth values are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def numbers(value: Any, most: int = 1_000_000) -> np.ndarray | None:
    """`value` as a float array if it is a number or a rectangle of numbers, else None."""
    single = number(value)
    if single is not None:
        return np.array(single)
    if not isinstance(value, list) or not value or len(value) > most:
        return None
    parts = [numbers(item, most) for item in value]
    if any(part is None or part.shape != parts[0].shape for part in parts):
        return None
    return np.stack(parts)
