"""The command line: python -m amdahl_lab doctor | record | fit | predict | grade."""

import argparse
import sys
from pathlib import Path

import numpy as np

from amdahl_lab import recorded, storage

SEED = 20260101  # of the draws behind intervals, so that a command prints the same twice


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 if all went well, 1 if not, 2 for bad input."""
    parser = _parser()
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments[:1] == ["grade"]:  # it has a parser of its own
        from amdahl_lab.grading.__main__ import main as grade

        return grade(arguments)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.command(chosen)
    except (ValueError, OSError) as error:
        print(f"amdahl_lab: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m amdahl_lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    doctor = commands.add_parser("doctor", help="what works on this computer, and what to do")
    doctor.set_defaults(command=_doctor)

    record = commands.add_parser("record", help="take the book's reference measurements here")
    record.add_argument("names", nargs="*", help="which ones (all)")
    record.add_argument("--name", default=None, help="what to call this machine")
    record.add_argument("--folder", type=Path, default=recorded.FOLDER, help="where to write")
    record.add_argument("--busy-is-fine", action="store_true", help="measure on a busy machine")
    record.set_defaults(command=_record)

    fit = commands.add_parser("fit", help="fit Amdahl's law to a run")
    fit.add_argument("run", type=Path, help="file that holds a run")
    fit.set_defaults(command=_fit)

    predict = commands.add_parser("predict", help="predict the speedup at other numbers of workers")
    predict.add_argument("run", type=Path, help="file that holds a run")
    predict.add_argument("workers", type=float, nargs="+", help="numbers of workers")
    predict.set_defaults(command=_predict)

    commands.add_parser("grade", help="mark a folder of notebooks")
    return parser


def _doctor(chosen: argparse.Namespace) -> int:
    from amdahl_lab.doctor import examine

    findings = examine()
    print(*findings, sep="\n")
    return 0 if all(finding.well for finding in findings if finding.needed_by == "labs") else 1


def _record(chosen: argparse.Namespace) -> int:
    from amdahl_lab import recording

    try:
        for line in recording.take(
            chosen.names,
            chosen.folder,
            machine_name=chosen.name,
            watch=not chosen.busy_is_fine,
        ):
            print(line, flush=True)
    except recording.Disturbed as disturbance:
        print(f"{disturbance}. Wait, or add --busy-is-fine.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted before two rounds were done: nothing of them is kept.", file=sys.stderr)
        return 1
    return 0


def _fit(chosen: argparse.Namespace) -> int:
    fit, run = _fitted(chosen.run)
    print(f"{run.experiment} on {run.machine.name}, {run.rounds} rounds, N = {fit.workers}")
    for name, interval in fit.parameters.items():
        print(f"{name}: {interval}")
    return 0


def _predict(chosen: argparse.Namespace) -> int:
    fit, _ = _fitted(chosen.run)
    for workers, speedup in zip(chosen.workers, fit.predict(chosen.workers), strict=True):
        print(f"N = {workers:g}: speedup {speedup}")
    return 0


def _fitted(path: Path):
    from amdahl_lab.fitting import fit_amdahl

    run = storage.load_run(path)
    enough = [N for N in run.workers if not run.oversubscribed(N)]
    return fit_amdahl(run, rng=np.random.default_rng(SEED), workers=enough), run


if __name__ == "__main__":
    sys.exit(main())
