"""Finds the hidden checks of an assignment: a small package beside its solution."""

import importlib.util
import sys
from pathlib import Path

from amdahl_lab.grading.items import Assignment

PACKAGE = "hidden_checks"


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
        If there are no hidden checks, or none for this notebook.
    """
    path = folder / PACKAGE / "__init__.py"
    if not path.is_file():
        raise ValueError(f"folder must hold {PACKAGE}/, got {folder}")
    name = f"{PACKAGE}_{folder.name}"
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its parts import each other
    spec.loader.exec_module(module)
    assignments = module.ASSIGNMENTS
    if notebook not in assignments:
        raise ValueError(f"notebook must be one of {sorted(assignments)}, got {notebook!r}")
    return assignments[notebook]
