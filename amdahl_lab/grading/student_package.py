"""The copy of the package that a marked notebook can import.

An exercise asks students to write what a module of the package already holds, so while their
notebook is marked that module is put away: it can be imported, and anything taken from it raises
a sentence that says so. The trusted half of `grading` is left out.
"""

import compileall
import shutil
from collections.abc import Iterable
from pathlib import Path

import amdahl_lab

# The part of `grading` that runs beside the student's code.
_FOR_STUDENTS = (
    *("__init__.py", "checks.py", "comparing.py", "counted.py", "inside.py", "loader_probe.py"),
    *("long_training.py", "probe.py", "rank_probe.py", "rank_scenes.py", "resume_probe.py"),
    *("scheduling_probe.py", "slowed.py", "training_probe.py", "wire.py"),
)

_PUT_AWAY = '''"""Put away while a notebook is marked."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        "{module} is put away while your notebook is marked: this exercise asks you to write "
        "what it holds. Use the functions that you wrote yourself."
    )
'''


def prepare(folder: Path, put_away: Iterable[str] = ()) -> Path:
    """Copy the package for students into `folder`.

    Parameters
    ----------
    folder : Path
        An empty or new folder.
    put_away : iterable of str
        Modules or packages to replace, as ``"amdahl_lab.laws"``.

    Returns
    -------
    Path
        `folder`, to be put on the path of the kernel.

    Raises
    ------
    ValueError
        If a module to be put away is not one of this package.
    """
    source = Path(amdahl_lab.__file__).parent
    target = folder / "amdahl_lab"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for path in (target / "grading").iterdir():
        if path.name not in _FOR_STUDENTS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for module in put_away:
        _replace(folder, module)
    compileall.compile_dir(target, quiet=2)
    etc = folder / "etc"
    etc.mkdir()
    (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (etc / "passwd").write_text("student:x:1000:1000:student:/tmp/home:/bin/sh\n")
    return folder


def _replace(folder: Path, module: str) -> None:
    path = folder.joinpath(*module.split("."))
    if path.is_dir():
        shutil.rmtree(path)
    elif path.with_suffix(".py").exists():
        path.with_suffix(".py").unlink()
    else:
        raise ValueError(f"put_away must name modules of amdahl_lab, got {module!r}")
    path.with_suffix(".py").write_text(_PUT_AWAY.format(module=module))
