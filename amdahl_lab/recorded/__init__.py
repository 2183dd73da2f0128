"""Reference measurements of this project's experiments, as data with their provenance.

Each file is a run in the format of `amdahl_lab.storage`, written by ``make record`` on the machine
that it names.
"""

from pathlib import Path

from amdahl_lab.records import ScalingRun
from amdahl_lab.storage import load_run

FOLDER = Path(__file__).parent


def reference_runs() -> tuple[str, ...]:
    """Return the names of all reference runs."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def reference_run(name: str) -> ScalingRun:
    """Load a reference run.

    Parameters
    ----------
    name : str
        Its name, such as "digits_scaling".

    Returns
    -------
    ScalingRun
        The run.

    Raises
    ------
    ValueError
        If there is no run of that name; the message lists those that there are.
    """
    if name not in reference_runs():
        there = ", ".join(reference_runs()) or "none"
        raise ValueError(f"name must be a reference run ({there}), got {name!r}")
    return load_run(FOLDER / f"{name}.json")
