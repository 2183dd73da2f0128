"""python -m amdahl_lab.grading generate | grade FOLDER."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m amdahl_lab.grading", description=__doc__)
    parser.add_argument("--course", type=Path, default=Path(), help="root of the course (here)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="make exercises/ from solutions/")
    marking = commands.add_parser("grade", help="mark a folder of notebooks")
    marking.add_argument("folder", type=Path, help="student.ipynb, or a folder for each student")
    marking.add_argument("--assignment", help="needed where the course has more than one")
    marking.add_argument("--output", type=Path, help="where the marks go (FOLDER-marks)")
    marking.add_argument(
        "--without-sandbox",
        action="store_true",
        help="run student code unprotected on this machine, at your own risk",
    )
    options = parser.parse_args(arguments)
    from amdahl_lab.grading import course

    root = options.course.resolve()
    try:
        if options.command == "generate":
            for path in course.generate(root):
                print(f"wrote {path.relative_to(root)}")
            return 0
        return _grade(course, root, options)
    except (ValueError, course.NbgraderError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _grade(course, root: Path, options: argparse.Namespace) -> int:
    names = course.assignments(root)
    assignment = options.assignment or (names[0] if len(names) == 1 else None)
    if assignment is None:
        raise ValueError(f"--assignment must be one of {', '.join(names)}")
    output = options.output or options.folder.with_name(options.folder.resolve().name + "-marks")
    results = course.grade(
        root,
        options.folder,
        output,
        assignment,
        without_sandbox=options.without_sandbox,
    )
    items = course.load_assignment(root / "solutions" / assignment, course.NOTEBOOK).items()
    print(course.table(results, items))
    print(f"Marks: {output / 'marks.csv'}. Feedback: {output / 'feedback'}.")
    return 0 if all(not result.problem for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
