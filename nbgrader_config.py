"""How nbgrader works in this course; read by every nbgrader command that is started here.

`solutions/` is the source and `exercises/` the release. Notebooks of students run in a sandbox
and are marked by hidden checks on plain data, so two of nbgrader's own steps are replaced.
"""

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors

from amdahl_lab.grading.plugin import GradeNotebook, RestoreCells, stop_without_sandbox

c = get_config()  # noqa: F821  (nbgrader defines it)

c.CourseDirectory.course_id = "amdahl_lab"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "hidden_checks",  # never released, and never copied beside a student's notebook
]

c.ClearSolutions.code_stub = {"python": "...  # your code here"}
c.ClearSolutions.text_stub = "*Your answer here.*"

c.Autograde.sanitize_preprocessors = [
    preprocessors.ClearOutput,
    RestoreCells,
    preprocessors.OverwriteKernelspec,
    preprocessors.OverwriteCells,
    preprocessors.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    GradeNotebook,
    preprocessors.IgnorePattern,
    ClearMetadataPreprocessor,
    preprocessors.LimitOutput,
    preprocessors.SaveAutoGrades,
    preprocessors.AssignLatePenalties,
    preprocessors.CheckCellMetadata,
]
c.Autograde.pre_convert_hook = stop_without_sandbox

# nbgrader's own pages leave text cells as they are, so `RestoreCells` and the sandbox see to that
# too: nothing that students wrote may run in a grader's browser.
c.HTMLExporter.sanitize_html = True
