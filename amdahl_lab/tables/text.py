"""A user's file as text: a header, and rows that know the line they stand in."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

SHOWN = 10

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
        raise ValueError(f"{name}: {some(trouble)}")
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


def some(trouble: Sequence[str]) -> str:
    """Join the first ten complaints, and tell how many more there are."""
    more = f"; and {len(trouble) - SHOWN} more" if len(trouble) > SHOWN else ""
    return "; ".join(trouble[:SHOWN]) + more
