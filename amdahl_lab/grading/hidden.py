"""Finds the hidden checks of an assignment: a plain file beside its solution."""

import importlib.util
from pathlib import Path

from amdahl_lab.grading.items import Assignment

FILE = "hidden_checks.py"


def load_assignment(folder: Path, notebook: str = "exercises") -> Assignment:
    """Hidden checks of one notebook.

    Parameters
    ----------
    folder : Path
        Folder of the assignment's solution, as ``solutions/01_amdahls_law``.
    notebook : str
        Name of the notebook without its ending.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If there is no file of hidden checks, or none for this notebook.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"folder must hold {FILE}, got {folder}")
    spec = importlib.util.spec_from_file_location(f"hidden_checks_{folder.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assignments = module.ASSIGNMENTS
    if notebook not in assignments:
        raise ValueError(f"notebook must be one of {sorted(assignments)}, got {notebook!r}")
    return assignments[notebook]
