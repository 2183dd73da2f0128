"""Rows of a user's table: from bytes to checked numbers, each with the line it stands in."""

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
WORKERS = ("workers", "n", "n_workers", "n_gpus", "n_accelerators")
ROLES = ("workers", "time", "throughput", "round", "phase", "work")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SHOWN = 10


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


Record = tuple[int, dict[str, str]]


def records(path: Path) -> tuple[list[str], list[Record]]:
    """Read a file's header and its rows as text, each with its line.

    Raises
    ------
    ValueError
        If the file is not a table.
    """
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError(f"{path.name}, line 1: the file is UTF-16; save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")  # a byte order mark says the encoding, and no more
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{path.name}, line {line}: not UTF-8; save the file as UTF-8") from error
    read = _json if path.suffix.lower() == ".json" else _csv
    header, found = read(path.name, text)
    if not found:
        raise ValueError(f"{path.name}: a header and no row")
    return header, found


def _csv(name: str, text: str) -> tuple[list[str], list[Record]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    found: list[Record] = []
    trouble: list[str] = []
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = _header(name, line, cells)
            elif len(cells) != len(header):
                trouble.append(
                    f"line {line} has {len(cells)} cells where the header has {len(header)}"
                    + (" (a decimal comma?)" if len(cells) > len(header) else "")
                )
            else:
                found.append((line, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num}: {error}") from error
    if trouble:
        raise ValueError(f"{name}: {_some(trouble)}")
    if not header:
        raise ValueError(f"{name}: empty")
    return header, found


def _header(name: str, line: int, cells: list[str]) -> list[str]:
    if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
        mark = "semicolons" if ";" in cells[0] else "tabs"
        raise ValueError(
            f"{name}, line {line}: columns are separated by {mark}; separate them by commas, and "
            "write decimal points"
        )
    lower = [cell.lower() for cell in cells]
    for cell in lower:
        if not cell:
            raise ValueError(f"{name}, line {line}: column {lower.index(cell) + 1} has no header")
        if lower.count(cell) > 1:
            raise ValueError(f"{name}, line {line}: the header {cell!r} is there twice")
    return cells


def _json(name: str, text: str) -> tuple[list[str], list[Record]]:
    """Read a list of objects one by one, so that each is known by its line."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, str]:
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"the name {key!r} is there twice")
        return {key: _cell(value) for key, value in pairs}

    decoder = json.JSONDecoder(object_pairs_hook=once)
    position, found = _skip(text, 0), []
    if text[position : position + 1] != "[":
        raise ValueError(
            f"{name}: neither a run of this package nor a list of objects, one for each row"
        )
    position = _skip(text, position + 1)
    while text[position : position + 1] != "]":
        line = text.count("\n", 0, position) + 1
        try:
            record, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise ValueError(f"{name}, line {error.lineno}: {error.msg}") from error
        except ValueError as error:
            raise ValueError(f"{name}, line {line}: {error}") from error
        if not isinstance(record, dict):
            raise ValueError(f"{name}, line {line}: not an object with a name for each value")
        found.append((line, record))
        position = _skip(text, position)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif text[position : position + 1] != "]":
            line = text.count("\n", 0, position) + 1
            raise ValueError(f"{name}, line {line}: the list is cut short or lacks a comma")
    rest = _skip(text, position + 1)
    if rest < len(text):
        line = text.count("\n", 0, rest) + 1
        raise ValueError(f"{name}, line {line}: something follows the end of the list")
    header = list(found[0][1]) if found else []
    for line, record in found:
        if set(record) != set(header):
            odd = ", ".join(sorted(set(record) ^ set(header)))
            raise ValueError(f"{name}, line {line}: not the same names as the first row ({odd})")
    return header, found


def _cell(value: object) -> str:
    if isinstance(value, bool | dict | list):
        return json.dumps(value)
    return "" if value is None else str(value).strip()


def _skip(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position


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
        raise ValueError(f"{name}: {_some(trouble)}")
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


def _some(trouble: Sequence[str]) -> str:
    more = f"; and {len(trouble) - SHOWN} more" if len(trouble) > SHOWN else ""
    return "; ".join(trouble[:SHOWN]) + more
