"""The command line: python -m amdahl_lab doctor | record | fit | predict | split | grade."""

import argparse
import sys
from pathlib import Path

from amdahl_lab import recorded, tables

COLUMNS = """\
series               which series a row belongs to; without it the file is one series
global_batch_size    samples in one step
samples_to_converge  samples to the target, in place of a rate
runs_used            runs behind a time, the fastest and the slowest of two more left out
..._sd_...           standard deviation of those runs, in the unit of the time
"""


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
        print(f"amdahl_lab: {_in_words(error)}", file=sys.stderr)
        return 2


def _in_words(error: ValueError | OSError) -> str:
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder {error.filename}"
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a folder, and a file is needed"
    return f"{error.filename} can't be used: {error.strerror}"


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

    fit = commands.add_parser("fit", help="fit laws to a run or to your own table")
    _reads_measurements(fit)
    fit.set_defaults(command=_fit)

    predict = commands.add_parser("predict", help="predict the speedup at other numbers of workers")
    _reads_measurements(predict)
    predict.add_argument("workers", type=float, nargs="+", help="numbers of workers")
    predict.set_defaults(command=_predict)

    split = commands.add_parser("split", help="split a loss into the machine's and the optimiser's")
    split.formatter_class = argparse.RawDescriptionHelpFormatter
    split.epilog = f"{tables.__doc__}\nBeside these, for each series of the file:\n\n{COLUMNS}"
    split.add_argument("file", type=Path, help="a table (see below)")
    split.add_argument("--level", type=float, default=0.95, help="level of the intervals (0.95)")
    _reads_a_table(split)
    split.set_defaults(command=_split)

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


def _reads_measurements(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = tables.__doc__
    parser.add_argument("file", type=Path, help="a run, or a table (see below)")
    parser.add_argument("--level", type=float, default=0.95, help="level of the intervals (0.95)")
    parser.add_argument("--fit-workers", help="the N to fit, such as 1,2,4 (all with enough cores)")
    parser.add_argument("--plot", type=Path, help="a new .png or .svg to draw to")
    table = _reads_a_table(parser)
    table.add_argument("--use", choices=("time", "throughput"), help="which, where there are both")


def _reads_a_table(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    table = parser.add_argument_group("for a table")
    table.add_argument("--column", action="append", help="ROLE=HEADER, such as time=step_ms")
    table.add_argument("--where", action="append", help="HEADER=TEXT: only the rows that say so")
    table.add_argument(
        "--trust-units", action="store_true", help="go on where units seem to have slipped"
    )
    return table


def _fit(chosen: argparse.Namespace) -> int:
    from amdahl_lab import scaling_report

    measured = _measurements(chosen)
    print(scaling_report.fit_text(measured, chosen.level))
    return _draw(chosen, measured)


def _predict(chosen: argparse.Namespace) -> int:
    from amdahl_lab import scaling_report

    measured = _measurements(chosen)
    print(scaling_report.predict_text(measured, chosen.workers, chosen.level))
    return _draw(chosen, measured, largest=max(chosen.workers))


def _split(chosen: argparse.Namespace) -> int:
    from amdahl_lab import split_report

    text = split_report.split_text(
        chosen.file,
        chosen.level,
        columns=_pairs("--column", chosen.column),
        where=_pairs("--where", chosen.where),
        trust_units=chosen.trust_units,
    )
    print(text)
    return 0


def _measurements(chosen: argparse.Namespace):
    from amdahl_lab import scaling_report

    if chosen.plot is not None and chosen.plot.exists():
        raise ValueError(f"--plot must name a new file, got {chosen.plot}, which exists")
    return scaling_report.read(
        chosen.file,
        None if chosen.fit_workers is None else _numbers("--fit-workers", chosen.fit_workers),
        columns=_pairs("--column", chosen.column),
        where=_pairs("--where", chosen.where),
        use=chosen.use,
        trust_units=chosen.trust_units,
    )


def _draw(chosen: argparse.Namespace, measured, *, largest: float | None = None) -> int:
    if chosen.plot is not None:
        from amdahl_lab import scaling_report

        picture = scaling_report.picture(measured, chosen.level, largest=largest)
        picture.save(chosen.plot)
        print(f"\n{chosen.plot}: {picture.alt}")
    return 0


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{option} must be NAME=TEXT, got {text!r}")
        pairs[name] = value
    return pairs


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be whole numbers such as 1,2,4, got {text!r}") from None


if __name__ == "__main__":
    sys.exit(main())
