"""The package as a whole: what importing it costs, and that its docstrings hold together."""

import inspect
import subprocess
import sys
import time

import pytest

from amdahl_lab import laws

HEAVY = ("anywidget", "ipywidgets", "IPython", "matplotlib", "scipy", "sklearn", "torch")


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, amdahl_lab; print([m for m in {HEAVY!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]", loaded.stderr


def test_importing_the_package_takes_under_three_tenths_of_a_second():
    def seconds(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    seconds("import amdahl_lab")  # warm the file cache
    # The quickest of several, less the interpreter's own start: what others do to a machine that
    # they share only ever adds.
    start = min(seconds("pass") for _ in range(7))
    taken = min(seconds("import amdahl_lab") for _ in range(7)) - start
    assert taken < 0.3, f"import amdahl_lab takes {taken:.2f} s"


@pytest.mark.parametrize("name", laws.__all__)
def test_every_law_documents_itself(name):
    text = inspect.getdoc(getattr(laws, name))
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"\n{section}\n---" in text, f"{name} has no section {section}"
