"""What the grading tests share: the course, its hidden checks, and a sandbox."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from amdahl_lab.grading import sandbox, student_package
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.items import Assignment
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.marking import NotebookMarker
from amdahl_lab.grading.session import KernelSession

COURSE = Path(__file__).parents[2]
SEED = 20260101
# Slow enough for a busy machine, fast enough for a test that hangs on purpose.
LIMITS = Limits(cell_seconds=40.0, question_seconds=40.0)


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    try:
        sandbox.check_bubblewrap()
    except sandbox.SandboxMissing as missing:
        if os.environ.get("AMDAHL_LAB_REQUIRE_ALL") == "1":
            raise
        pytest.skip(f"needs a working bubblewrap: {missing}")


@pytest.fixture(scope="session")
def course() -> Path:
    return COURSE


@pytest.fixture(scope="session")
def chapter(request) -> str:
    """The chapter whose exercises are marked: the first, or the one that a test names.

    Tests name it by an indirect parameter, so that what was made for the last chapter is made anew.
    """
    return getattr(request, "param", "01_amdahls_law")


@pytest.fixture(scope="session")
def assignment(chapter) -> Assignment:
    return load_assignment(COURSE / "solutions" / chapter)


@pytest.fixture(scope="session")
def solution(chapter):
    return nbformat.read(COURSE / "solutions" / chapter / "exercises.ipynb", as_version=4)


@pytest.fixture(scope="session")
def stub(chapter):
    return nbformat.read(COURSE / "exercises" / chapter / "exercises.ipynb", as_version=4)


@pytest.fixture(scope="session")
def package(assignment) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lab-package-") as folder:
        yield student_package.prepare(Path(folder), assignment.put_away)


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "submission"
    folder.mkdir()
    return folder


@pytest.fixture
def session(package: Path, submission: Path) -> Iterator[KernelSession]:
    with KernelSession(package, submission, LIMITS, secret_folders=[COURSE]) as session:
        yield session


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


@pytest.fixture
def marker(assignment, package, seed) -> NotebookMarker:
    return NotebookMarker(assignment, package, seed, LIMITS, [COURSE])


@pytest.fixture(scope="session")
def limits() -> Limits:
    return LIMITS
