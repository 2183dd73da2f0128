"""The whole state of a training run in one file, which is whole or not there.

What a run needs to go on as if nothing had happened: parameters, the optimizer's memory, how far
it is, where the order of the data stands, and the state of every rank's random numbers.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

SUFFIX = ".checkpoint"


def write_checkpoint(
    folder: str | os.PathLike,
    step: int,
    state: dict[str, Any],
    before_rename: Callable[[], None] = lambda: None,
) -> Path:
    """Write a checkpoint so that a crash at any moment leaves the last one whole.

    Write to a name that no reader looks at, force the bytes to the disk, and only then give the
    file its name: renaming is one step for the system, so a reader sees all of the file or none.
    Last the folder itself is forced to the disk, because the new name is written there.

    Parameters
    ----------
    folder : path-like
        Where checkpoints are; it must exist.
    step : int, at least 0
        Steps done.
    state : dict
        Tensors, numbers, texts, and lists and dicts of them.
    before_rename : callable
        Called when the bytes are on the disk and the file has not got its name yet; to test what
        a crash there does.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the step is negative.
    """
    if step < 0:
        raise ValueError(f"step must be at least 0, got {step!r}")
    path = Path(folder) / f"{step:08d}{SUFFIX}"
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb") as file:
        torch.save({"step": step, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    before_rename()
    os.replace(unfinished, path)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere folders cannot be opened
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return path


def latest_checkpoint(folder: str | os.PathLike) -> dict[str, Any] | None:
    """Read the checkpoint with the most steps, or None where there is none.

    Only tensors and plain data are read: a file cannot bring code with it.
    """
    names = sorted(Path(folder).glob(f"*{SUFFIX}"))
    return torch.load(names[-1], weights_only=True) if names else None
