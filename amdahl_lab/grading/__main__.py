"""python -m amdahl_lab.grading generate | grade SUBMISSIONS."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    from amdahl_lab.grading import course

    root = options.course.resolve()
    try:
        if options.command == "generate":
            for path in course.generate(root):
                print(f"wrote {path.relative_to(root)}")
            return 0
        return _grade(root, options)
    except (ValueError, course.NbgraderError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped before anything was marked.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m amdahl_lab.grading", description=__doc__)
    parser.add_argument("--course", type=Path, default=Path(), help="root of the course (here)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="make exercises/ from solutions/")
    marking = commands.add_parser("grade", help="mark a class")
    marking.add_argument(
        "submissions",
        type=Path,
        help="zip that Moodle, Canvas or Blackboard exports, or a folder: student.ipynb, or a "
        "folder for each student",
    )
    marking.add_argument("--assignment", help="the chapter, where the notebooks do not tell it")
    marking.add_argument("--output", type=Path, help="where the marks go (SUBMISSIONS-marks)")
    marking.add_argument("--title", help="name of the assignment in the system that imports")
    marking.add_argument("--seed", type=int, help="of the hidden inputs (drawn, and kept)")
    marking.add_argument("--jobs", type=int, help="notebooks at a time (one for each core)")
    marking.add_argument(
        "--without-sandbox",
        action="store_true",
        help="run student code unprotected on this machine, at your own risk",
    )
    return parser


def _grade(root: Path, options: argparse.Namespace) -> int:
    from amdahl_lab.grading import classroom
    from amdahl_lab.grading.orders import Order
    from amdahl_lab.grading.tables import text_table

    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {options.jobs}")
    submissions = options.submissions.resolve()
    stem = submissions.stem if submissions.suffix == ".zip" else submissions.name
    order = Order(
        root,
        submissions,
        options.output or submissions.with_name(f"{stem}-marks"),
        options.assignment,
        options.without_sandbox,
        options.seed,
        options.jobs,
        options.title,
    )
    marks = classroom.grade(order, lambda line: print(line, flush=True))
    print(text_table(marks.results, marks.items))
    print(*(f"{path}" for path in marks.files), sep="\n")
    if not marks.complete:
        print("Interrupted: what is marked is kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    return 0 if all(result.total is not None for result in marks.results) else 1


if __name__ == "__main__":
    sys.exit(main())
