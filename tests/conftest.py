"""The built site, for the tests that look at it: built once, and only when it is out of date."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
SOURCES = (
    "_config.yml",
    "_toc.yml",
    "book",
    "chapters",
    "exercises",
    "amdahl_lab",
)


def _newest_source() -> float:
    files = []
    for name in SOURCES:
        path = ROOT / name
        files += [path] if path.is_file() else path.rglob("*")
    return max(
        file.stat().st_mtime
        for file in files
        if file.is_file() and "__pycache__" not in file.parts and "_build" not in file.parts
    )


@pytest.fixture(scope="session")
def site() -> Path:
    """Folder of the built site. `make book` writes the index only when nothing was warned of."""
    index = SITE / "index.html"
    if not index.exists() or index.stat().st_mtime < _newest_source():
        command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
        flags = ["--quiet", "--warningiserror", "--nitpick", "--keep-going"]
        built = subprocess.run([*command, *flags], cwd=ROOT, capture_output=True, text=True)
        assert built.returncode == 0, f"the site does not build:\n{built.stdout}{built.stderr}"
    return SITE
