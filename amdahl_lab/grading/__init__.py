"""Marking: visible checks for students, a sandbox and hidden checks for graders.

For students there is `check`, which loads nothing heavy. All else is for graders and is imported
by name: ``python -m amdahl_lab.grading --help``.
"""

from amdahl_lab.grading.checks import check

__all__ = ["check"]
