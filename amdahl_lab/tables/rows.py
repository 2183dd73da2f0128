"""Rows of a user's table: from text to checked numbers, each with the line it stands in."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amdahl_lab.tables.text import Record, some

SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
WORKERS = ("workers", "n", "n_workers", "n_gpus", "n_accelerators")
ROLES = ("workers", "time", "throughput", "round", "phase", "work")
SPREADS = {"sd", "std", "stdev", "se", "error"}  # of a time: no time to fit
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Row:
    """One measurement of a table.

    Parameters
    ----------
    line : int
        Line of the file.
    workers : int
        Number of workers N.
    phase, round : str
        The phase, "step" where the table has none, and the round's label, "" where it has none.
    seconds : float
        The time used, of one unit of work where a rate was read.
    time, rate, work : float or None
        Seconds, work per second, and work, where the row has them.
    """

    line: int
    workers: int
    phase: str
    round: str
    seconds: float
    time: float | None
    rate: float | None
    work: float | None


@dataclass(frozen=True)
class Column:
    """A header, the role it plays, and what its numbers are multiplied by to get seconds."""

    header: str
    factor: float = 1.0


def roles(name: str, header: Sequence[str], named: Mapping[str, str]) -> dict[str, Column]:
    """Tell which header plays which role, by its name or as the caller says.

    Raises
    ------
    ValueError
        If a role has two headers, or workers has none.
    """
    for role, wanted in named.items():
        if role not in ROLES:
            raise ValueError(f"columns must name a role of {', '.join(ROLES)}, got {role!r}")
        if wanted not in header:
            raise ValueError(f"{name}, line 1: no column {wanted!r}; there is {', '.join(header)}")
    found: dict[str, Column] = {}
    for role in ROLES:
        candidates = [named[role]] if role in named else [h for h in header if _plays(h) == role]
        if len(candidates) > 1:
            raise ValueError(
                f"{name}, line 1: {' and '.join(candidates)} could each be the {role}; say which "
                f"with --column {role}={candidates[0]}"
            )
        if candidates:
            found[role] = Column(candidates[0], _factor(name, role, candidates[0]))
    if "workers" not in found:
        raise ValueError(
            f"{name}, line 1: no column of workers ({', '.join(WORKERS)}); there is "
            f"{', '.join(header)}"
        )
    return found


def _words(header: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", header.lower().replace("/", " per "))


def _plays(header: str) -> str | None:
    words = _words(header)
    joined = "_".join(words)
    if joined in WORKERS:
        return "workers"
    if joined in ("round", "phase", "work"):
        return joined
    return _unit(words)[0]


def _unit(words: Sequence[str]) -> tuple[str | None, float]:
    """Tell a time or a rate by its name, and what turns its numbers into seconds or per second."""
    if SPREADS & set(words):
        return None, 1.0
    if list(words) == ["throughput"]:
        return "throughput", 1.0
    before, after = words[-3:-2], words[-1:]
    if words[-2:-1] == ["per"]:
        if after[0] in SECONDS:
            return "throughput", 1 / SECONDS[after[0]]
        return ("time", SECONDS[before[0]]) if before and before[0] in SECONDS else (None, 1.0)
    return ("time", SECONDS[after[0]]) if after and after[0] in SECONDS else (None, 1.0)


def _factor(name: str, role: str, header: str) -> float:
    if role not in ("time", "throughput"):
        return 1.0
    plays, factor = _unit(_words(header))
    if plays != role:
        raise ValueError(
            f"{name}, line 1: the unit of {role} column {header!r} is not in its name; end it in "
            + ("_per_s or such" if role == "throughput" else "_s, _ms, _min or such")
        )
    return factor


def selected(
    name: str, header: Sequence[str], found: Sequence[Record], where: Mapping[str, str]
) -> list[Record]:
    """Keep the rows that hold the given texts.

    Raises
    ------
    ValueError
        If there is no such column or no such row.
    """
    kept = list(found)
    for column, value in where.items():
        if column not in header:
            raise ValueError(f"{name}, line 1: no column {column!r}; there is {', '.join(header)}")
        there = list(dict.fromkeys(cells[column] for _, cells in kept))
        kept = [(line, cells) for line, cells in kept if cells[column] == value]
        if not kept:
            raise ValueError(f"{name}: no row has {column} {value!r}; there is {', '.join(there)}")
    return kept


def check_numbers(name: str, found: Sequence[Record], headers: Sequence[str]) -> None:
    """Refuse what is no positive number in columns that play no role; empty cells are allowed.

    Raises
    ------
    ValueError
        Naming every line that can't be used, the first ten of them.
    """
    trouble = []
    for line, cells in found:
        for header in headers:
            try:
                _positive(Column(header), cells.get(header, ""), needed=False)
            except ValueError as error:
                trouble.append(f"line {line}: {error}")
    if trouble:
        raise ValueError(f"{name}: {some(trouble)}")


def rows(
    name: str, found: Sequence[Record], columns: Mapping[str, Column], quantity: str
) -> list[Row]:
    """Turn text into checked rows.

    Raises
    ------
    ValueError
        Naming every line that can't be used, the first ten of them.
    """
    good, trouble = [], []
    main = "time" if quantity == "seconds" else "throughput"
    for line, cells in found:
        try:
            good.append(_row(line, cells, columns, main))
        except ValueError as error:
            trouble.append(f"line {line}: {error}")
    if trouble:
        raise ValueError(f"{name}: {some(trouble)}")
    return good


def _row(line: int, cells: Mapping[str, str], columns: Mapping[str, Column], main: str) -> Row:
    number = {
        role: _positive(column, cells[column.header], needed=role == main)
        for role, column in columns.items()
        if role in ("time", "throughput", "work")
    }
    time, rate = number.get("time"), number.get("throughput")
    label = {role: cells[columns[role].header] for role in ("round", "phase") if role in columns}
    for role, text in label.items():
        if not text:
            raise ValueError(f"{columns[role].header} is empty")
    return Row(
        line,
        _whole(columns["workers"], cells[columns["workers"].header]),
        label.get("phase", "step"),
        label.get("round", ""),
        time if main == "time" else 1 / rate,
        time,
        rate,
        number.get("work"),
    )


def _number(column: Column, text: str) -> float:
    if not NUMBER.fullmatch(text):
        if not text:
            raise ValueError(f"{column.header} is empty")
        if re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", text):
            raise ValueError(f"{column.header} {text!r} has a comma; write a decimal point")
        raise ValueError(f"{column.header} must be a number, got {text!r}")
    return float(text)


def _positive(column: Column, text: str, *, needed: bool) -> float | None:
    if not text and not needed:
        return None
    value = _number(column, text)
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{column.header} must be finite and above 0, got {text}")
    return value * column.factor


def _whole(column: Column, text: str) -> int:
    value = _number(column, text)
    if not (value >= 1 and value.is_integer()):
        raise ValueError(f"{column.header} must be a whole number, at least 1, got {text}")
    return int(value)
