"""nbgrader's autograding with these parts in place of its own; see ``nbgrader_config.py``.

`RestoreCells` puts a submitted notebook back into its released shape, from the gradebook.
`GradeNotebook` stands where nbgrader runs notebooks itself: it runs them in the sandbox, asks the
hidden checks and writes the points where nbgrader looks for them. All else stays nbgrader's.
"""

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Integer, Unicode

from amdahl_lab.grading import finished, sandbox, student_package
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.marking import NotebookMarker, line_of
from amdahl_lab.grading.restore import ReleasedCell, restore

SEED_FILE = "grading_seed"


class RestoreCells(NbGraderPreprocessor):
    """Put a submitted notebook back into its released shape."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore the cells of one notebook."""
        names = resources["nbgrader"]
        refuse_links(Path.cwd() / "submitted" / names["student"] / names["assignment"])
        with Gradebook(names["db_url"]) as gradebook:
            released = released_cells(gradebook, names["assignment"], names["notebook"])
        for line in restore(nb, released):
            self.log.warning("%s: %s", names["student"], line)
        # Part of this would reach the feedback page unescaped.
        nb.metadata = NotebookNode(language_info={"name": "python", "pygments_lexer": "ipython3"})
        return nb, resources


def refuse_links(submission: Path) -> None:
    """Stop if anything in a submission is a link: it would be read as what it points at.

    Raises
    ------
    ValueError
        If the folder or something in it is a link.
    """
    links = [path.name for path in (submission, *submission.rglob("*")) if path.is_symlink()]
    if links:
        raise ValueError(f"submission must hold no links, got {links[0]}")


def released_cells(gradebook: Gradebook, assignment: str, notebook: str) -> list[ReleasedCell]:
    """Released cells of a notebook as the gradebook knows them, in their order."""
    entry = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: cell.max_score for cell in entry.grade_cells}
    solutions = {cell.name for cell in entry.solution_cells}
    return [
        ReleasedCell(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source,
            checksum=cell.checksum,
            locked=bool(cell.locked),
            solution=cell.name in solutions,
            points=points.get(cell.name),
        )
        for cell in entry.source_cells
    ]


class GradeNotebook(NbGraderPreprocessor):
    """Run a notebook in the sandbox and mark it with the hidden checks of its assignment."""

    without_sandbox = Bool(
        False, help="Run notebooks unprotected, where there is no bubblewrap. At your own risk."
    ).tag(config=True)
    seed = Integer(
        None,
        allow_none=True,
        help="Seed of the hidden inputs; from the file grading_seed if left out.",
    ).tag(config=True)
    solutions = Unicode(
        "solutions", help="Folder that holds hidden_checks of each assignment."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run and mark one notebook, unless its marks are there already."""
        root = Path.cwd()  # nbgrader works in the root of the course
        names = resources["nbgrader"]
        source = root / self.solutions / names["assignment"]
        submission = root / "submitted" / names["student"] / names["assignment"]
        seed = seed_of(root) if self.seed is None else self.seed
        record = finished.load(finished.path_of(root, names["assignment"], names["student"]))
        basis = finished.basis(source, seed, Limits(), self.without_sandbox)
        if record is not None and record.key == finished.key_of(nb, submission, basis):
            record.show_in(nb)
            return nb, resources
        if not self.without_sandbox:
            sandbox.check_bubblewrap()
        assignment = load_assignment(source, names["notebook"])
        folder = Path(tempfile.mkdtemp(prefix="lab-package-"))
        try:
            marker = NotebookMarker(
                assignment,
                student_package.prepare(folder, assignment.put_away),
                seed,
                Limits(),
                secret_folders(root, source),
                self.without_sandbox,
            )
            for verdict in marker.mark(nb, submission).values():
                self.log.info("%s: %s", names["student"], line_of(verdict))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return nb, resources


def secret_folders(root: Path, source: Path) -> tuple[Path, ...]:
    """Folders that no notebook may see, wherever they lie.

    Parameters
    ----------
    root : Path
        Where nbgrader works: gradebook, submissions, seed.
    source : Path
        Folder of one assignment's solution.

    Returns
    -------
    tuple of Path
    """
    package = Path(student_package.__file__).parents[1]
    # Installed beside other packages, it is covered alone; in a clone, all of the clone is.
    installed = any(package.parent.glob("*.dist-info"))
    return root, source.resolve().parent, package if installed else package.parent


def stop_without_sandbox(**_: Any) -> None:
    """Stop before anything is marked, unless bubblewrap works; a hook for nbgrader.

    Raises
    ------
    SystemExit
        With a sentence that says what to install, or which flag accepts the risk.
    """
    sandbox.check_bubblewrap()


def seed_of(course: Path) -> int:
    """The teacher's seed of a course, drawn at first use and kept beside the gradebook."""
    path = course / SEED_FILE
    if not path.exists():
        path.write_text(f"{secrets.randbelow(2**53)}\n")
        path.chmod(0o600)
    return int(path.read_text())
