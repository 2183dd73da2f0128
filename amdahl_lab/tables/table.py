"""Tables of times by number of workers, made from checked rows."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from amdahl_lab.tables import rows as reading
from amdahl_lab.tables import slips, text
from amdahl_lab.tables.rows import Row


@dataclass(frozen=True)
class Table:
    """Times read from a table.

    Parameters
    ----------
    name : str
        Where they are from.
    times : mapping of (int, str) to tuple of float
        For each number of workers and phase the seconds; of one unit of work for a rate.
    paired : bool
        Whether the values of all pairs belong to the same rounds, in the same order.
    quantity : str
        "seconds" or "throughput": what the table held.
    work : mapping of int to float
        Work of one timing at each number of workers; empty where the table does not say.
    notes : tuple of str
        What was left out or looks doubtful, each one sentence.
    """

    name: str
    times: Mapping[tuple[int, str], tuple[float, ...]]
    paired: bool
    quantity: str = "seconds"
    work: Mapping[int, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("times", "work"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def workers(self) -> tuple[int, ...]:
        """Numbers of workers at which the whole step was timed, rising."""
        return tuple(sorted(N for N, phase in self.times if phase == "step"))

    def seconds(self, workers: int, phase: str = "step") -> np.ndarray:
        """Return the seconds of one number of workers and phase.

        Raises
        ------
        ValueError
            If it was not measured.
        """
        if (workers, phase) not in self.times:
            measured = ", ".join(f"{N} {name!r}" for N, name in sorted(self.times))
            raise ValueError(
                f"workers {workers}, phase {phase!r}: not measured; there is {measured}"
            )
        return np.array(self.times[workers, phase])


def read_table(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    use: str | None = None,
    trust_units: bool = False,
) -> Table:
    """Read times or rates from a CSV or JSON file.

    Parameters
    ----------
    path : path-like
        The file; read as JSON where its name ends so, and else as CSV.
    columns : mapping of str to str, optional
        For a role (workers, time, throughput, round, phase, work) the header that plays it, where
        the header's own name does not say so or several do.
    where : mapping of str to str, optional
        Keep the rows whose cell under a header is this text.
    use : str, optional
        "time" or "throughput", where the table has both; time where it is not given.
    trust_units : bool
        Keep what looks like a slip of units as a note, and go on.

    Returns
    -------
    Table
        The measurements.

    Raises
    ------
    ValueError
        If the file is not such a table. The message names the lines.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    header, records = text.records(path)
    roles = reading.roles(path.name, header, dict(columns or {}))
    records = reading.selected(path.name, header, records, dict(where or {}))
    quantity = _quantity(path.name, roles, use)
    series = list(dict.fromkeys(cells.get("series", "") for _, cells in records))
    if len(series) > 1:
        raise ValueError(
            f"{path.name}: {len(series)} series ({', '.join(series)}) are no one run; choose one "
            f"with --where series={series[0]}"
        )
    rows = reading.rows(path.name, records, roles, quantity)
    found = slips.find(rows, quantity)
    if found and not trust_units:
        raise ValueError(
            f"{path.name}: " + "; ".join(found) + ". Mend the table, or say --trust-units if it "
            "is right as it is"
        )
    paired = roles.get("round") is not None
    times, notes = _rounds(path.name, rows) if paired else _repeats(path.name, rows)
    if not any(phase == "step" for _, phase in times):
        raise ValueError(f"{path.name}: no row has the phase 'step', the whole that is divided")
    return Table(path.name, times, paired, quantity, _work(path.name, rows), (*found, *notes))


def _quantity(name: str, roles: Mapping[str, object], use: str | None) -> str:
    if use not in (None, "time", "throughput"):
        raise ValueError(f"use must be 'time' or 'throughput', got {use!r}")
    there = [role for role in ("time", "throughput") if role in roles]
    wanted = use or (there[0] if there else "time")
    if wanted not in there:
        raise ValueError(
            f"{name}, line 1: no column of {wanted}; name one after its unit, such as seconds, "
            "ms or samples_per_second"
        )
    return "seconds" if wanted == "time" else "throughput"


def _values(rows: Sequence[Row]) -> dict[tuple[int, str], list[Row]]:
    there: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        there.setdefault((row.workers, row.phase), []).append(row)
    return there


def _repeats(name: str, rows: Sequence[Row]) -> tuple[dict, list[str]]:
    return {pair: tuple(row.seconds for row in found) for pair, found in _values(rows).items()}, []


def _rounds(name: str, rows: Sequence[Row]) -> tuple[dict, list[str]]:
    """Pair the values by round; leave out, and say so, the rounds that some pair lacks."""
    there: dict[tuple[int, str], dict[str, Row]] = {}
    for pair, found in _values(rows).items():
        labelled = there.setdefault(pair, {})
        for row in found:
            if row.round in labelled:
                raise ValueError(
                    f"{name}, line {row.line}: round {row.round} of workers {row.workers}, phase "
                    f"{row.phase!r} is there already, in line {labelled[row.round].line}"
                )
            labelled[row.round] = row
    order = list(dict.fromkeys(row.round for row in rows))
    whole = [label for label in order if all(label in labelled for labelled in there.values())]
    left_out = [row.line for row in rows if row.round not in whole]
    if not whole:
        raise ValueError(f"{name}: no round holds every number of workers and phase")
    notes = (
        [f"rounds that lack a number of workers or a phase are left out: {slips.lines(left_out)}"]
        if left_out
        else []
    )
    return {
        pair: tuple(labelled[label].seconds for label in whole) for pair, labelled in there.items()
    }, notes


def _work(name: str, rows: Sequence[Row]) -> dict[int, float]:
    work: dict[int, Row] = {}
    for row in rows:
        if row.work is None:
            continue
        first = work.setdefault(row.workers, row)
        if first.work != row.work:
            raise ValueError(
                f"{name}, line {row.line}: work {row.work:g} at workers {row.workers}, but "
                f"{first.work:g} in line {first.line}"
            )
    return {N: row.work for N, row in work.items()}
