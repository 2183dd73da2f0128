"""Versioned JSON files for runs: the only place where the package reads and writes results.

History of the format
1  2026: machine, parameters, load, and for each workers and phase the raw values and warm-ups.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amdahl_lab.records import Machine, ScalingRun, Timing

RUN_FORMAT = "amdahl_lab.run"
RUN_VERSION = 1


def save_run(run: ScalingRun, path: str | os.PathLike) -> Path:
    """Write a run to a file, whole or not at all.

    Parameters
    ----------
    run : ScalingRun
        The run.
    path : path-like
        Where to write. A file that is there is replaced only if it holds a run.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the file that is there does not hold a run: it is left as it was.
    """
    path = Path(path)
    if path.exists():
        load_run(path)  # refuses, with its reason, to overwrite what is not ours
    fields = {name: getattr(run, name) for name in _names(ScalingRun)}
    machine = {name: getattr(run.machine, name) for name in _names(Machine)}
    content = fields | {
        "machine": machine | {"versions": dict(run.machine.versions)},
        "parameters": dict(run.parameters),
        "timings": [dataclasses.asdict(timing) for timing in run.timings],
    }
    write_json(path, {"format": RUN_FORMAT, "version": RUN_VERSION} | content)
    return path


def load_run(path: str | os.PathLike) -> ScalingRun:
    """Read a run from a file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    ScalingRun
        The run, validated.

    Raises
    ------
    ValueError
        If the file is cut short, is not JSON, holds something else, is of a later version, or
        holds values that no run can have. The message names the file.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    content = read_json(path, RUN_FORMAT, RUN_VERSION)
    try:
        content["machine"] = Machine(**content["machine"])
        content["timings"] = tuple(Timing(**timing) for timing in content["timings"])
        return ScalingRun(**content)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} is not a valid run: {error}") from error


def read_json(path: Path, format_name: str, version: int) -> dict[str, Any]:
    """Read the content of one of our files, without its format and version.

    Parameters
    ----------
    path : Path
        The file.
    format_name : str
        The format that it must have.
    version : int
        The latest version that the caller can read.

    Returns
    -------
    dict
        What the file holds.

    Raises
    ------
    ValueError
        If the file is cut short, is not JSON, or has another format or a later version.
    FileNotFoundError
        If there is no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not JSON, or is cut short: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != format_name:
        raise ValueError(f"{path.name} is not a file of format {format_name!r}")
    found = content.pop("version", None)
    if not isinstance(found, int) or not 1 <= found <= version:
        raise ValueError(f"{path.name} has version {found!r} of {format_name!r}; known: {version}")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file whole or not at all: beside its place first, then renamed into it.

    Parameters
    ----------
    path : Path
        The file; its folder is made where it is missing.
    content : mapping
        What to write, format and version included.

    Raises
    ------
    ValueError
        If the content holds something that JSON can't, NaN and infinity included.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _names(record: type) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]
