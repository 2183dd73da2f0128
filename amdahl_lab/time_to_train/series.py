"""Scaling series: a time to the target, a rate, or both, at several numbers of workers.

The format is that of `amdahl_lab.tables`, one row for each number of workers or several repeats,
and optional columns:

series               which series a row belongs to; without it the file is one series
global_batch_size    samples in one step
samples_to_converge  samples to the target
..._sd_...           standard deviation of the time over the runs of the row, in the time's unit
runs_used            of two runs more, the fastest and the slowest of which were dropped
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from amdahl_lab.recorded import published
from amdahl_lab.tables import Table, read_table, text
from amdahl_lab.tables import rows as reading

DROPPED = 2


@dataclass(frozen=True)
class Series:
    """Training at K numbers of workers, rising. What was not measured is an empty tuple.

    Parameters
    ----------
    name : str
        Short name.
    title : str
        What was trained on what by whom.
    workers : tuple of K int
        Numbers of workers N.
    seconds : tuple of K float
        Seconds to the target.
    rates : tuple of K float
        Samples per second.
    batches : tuple of K float
        Samples in one step.
    spreads : tuple of K float
        Standard deviation of a run's time, as a share of it.
    runs : tuple of K int
        Runs that the spread is of.
    dropped : int
        How many of them, half fastest and half slowest, are not in the mean.
    mlperf : bool
        Whether the numbers are derived from MLPerf Training result logs.
    notes : tuple of str
        What a reader must know, each one sentence.

    Raises
    ------
    ValueError
        If there is neither time nor rate, or a tuple has another length than `workers`.
    """

    name: str
    title: str
    workers: tuple[int, ...]
    seconds: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()
    batches: tuple[float, ...] = ()
    spreads: tuple[float, ...] = ()
    runs: tuple[int, ...] = ()
    dropped: int = 0
    mlperf: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.seconds and not self.rates:
            raise ValueError(f"series {self.name!r} must have times or rates, got neither")
        if list(self.workers) != sorted(set(self.workers)):
            raise ValueError(f"workers must rise, got {self.workers}")
        for field in ("seconds", "rates", "batches", "spreads", "runs"):
            if (held := len(getattr(self, field))) not in (0, len(self.workers)):
                raise ValueError(
                    f"{field} must hold one value for each of {len(self.workers)} N, got {held}"
                )

    @property
    def samples(self) -> tuple[float, ...]:
        """Samples to the target: time x rate, where both are known."""
        return tuple(t * r for t, r in zip(self.seconds, self.rates, strict=False))

    def per_sample(self, quantity: str | None = None) -> np.ndarray:
        """Return what a law of speed is fitted to, shape (K,).

        Parameters
        ----------
        quantity : {"rate", "time"}, optional
            Seconds per sample, or seconds to the target; the rate where it is known.

        Raises
        ------
        ValueError
            If the series does not have it.
        """
        quantity = quantity or ("rate" if self.rates else "time")
        if quantity not in ("rate", "time"):
            raise ValueError(f"quantity must be 'rate' or 'time', got {quantity!r}")
        held = self.rates if quantity == "rate" else self.seconds
        if not held:
            raise ValueError(f"series {self.name!r} has no {quantity}")
        return 1 / np.array(held) if quantity == "rate" else np.array(held)

    def table(self, quantity: str | None = None) -> Table:
        """Return the series as a table of single values, for `amdahl_lab.fitting`."""
        values = self.per_sample(quantity)
        times = {(N, "step"): (float(t),) for N, t in zip(self.workers, values, strict=True)}
        held = "throughput" if quantity != "time" and self.rates else "seconds"
        return Table(self.name, times, paired=False, quantity=held)

    def log_time_draws(self, draws: int, rng: np.random.Generator) -> np.ndarray | None:
        """Draw plausible logarithms of the typical times, less those that were seen.

        The mean of runs of which some were dropped, over the spread of all, has a distribution of
        its own in place of Student's t; it is drawn from normal runs.

        Returns
        -------
        ndarray, shape (D, K), or None
            None where the series does not tell how far runs stray.
        """
        if not self.spreads or min(self.runs) < 2:
            return None
        columns = []
        for spread, runs in zip(self.spreads, self.runs, strict=True):
            normal = np.sort(rng.standard_normal((draws, runs)), axis=1)
            cut = self.dropped // 2
            kept = normal[:, cut : runs - cut].mean(axis=1)
            columns.append(-spread * kept / normal.std(axis=1, ddof=1))
        return np.stack(columns, axis=1)


def read_series(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    trust_units: bool = False,
) -> dict[str, Series]:
    """Read all series of a CSV or JSON file.

    Parameters
    ----------
    path : path-like
        The file.
    columns, where, trust_units
        As for `tables.read_table`.

    Returns
    -------
    dict of str to Series
        In the order of the file.

    Raises
    ------
    ValueError
        If the file is no such table. The message names the lines.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    header, records = text.records(path)
    roles = reading.roles(path.name, header, dict(columns or {}))
    kept = reading.selected(path.name, header, records, dict(where or {}))
    reading.check_numbers(path.name, kept, [each for each in header if _is_extra(each)])
    groups: dict[str, list[dict[str, str]]] = {}
    for _, cells in kept:
        groups.setdefault(cells.get("series", path.stem), []).append(cells)
    found = {}
    for name, rows in groups.items():
        chosen = {**(where or {}), **({"series": name} if "series" in header else {})}
        tables = {
            use: read_table(path, columns=columns, where=chosen, use=use, trust_units=trust_units)
            for use in ("time", "throughput")
            if use in roles and any(cells[roles[use].header] for cells in rows)
        }
        found[name] = _series(name, rows, tables, roles)
    return found


@cache
def published_series() -> dict[str, Series]:
    """Return the published series of this book by name: V image, N language, R recommendation.

    P2 and P4 are language, too, and no MLPerf results.
    """
    return read_series(published.FOLDER / "scaling_series.csv")


def _series(
    name: str,
    rows: Sequence[Mapping[str, str]],
    tables: Mapping[str, Table],
    roles: Mapping[str, reading.Column],
) -> Series:
    if not tables:
        raise ValueError(f"series {name!r} must have times or rates, got neither")
    workers = next(iter(tables.values())).workers
    typical = {
        use: tuple(float(np.exp(np.log(table.seconds(N)).mean())) for N in workers)
        for use, table in tables.items()
    }
    by_workers = {int(float(row[roles["workers"].header])): row for row in rows}
    batches = _column([by_workers[N] for N in workers], "global_batch_size")
    seconds = typical.get("time", ())
    rates = tuple(1 / value for value in typical.get("throughput", ()))
    samples = _column([by_workers[N] for N in workers], "samples_to_converge")
    if samples and seconds and not rates:
        rates = tuple(D / t for D, t in zip(samples, seconds, strict=True))
    spreads, runs, dropped = _spreads(by_workers, tables, roles, workers)
    row = rows[0]
    mlperf = row.get("source", "").startswith("mlcommons/")
    return Series(
        name,
        _title(name, row, mlperf),
        workers,
        seconds,
        rates,
        batches,
        spreads,
        runs,
        dropped,
        mlperf,
        tuple(note for table in tables.values() for note in table.notes),
    )


def _title(name: str, row: Mapping[str, str], mlperf: bool) -> str:
    if "workload" not in row:
        return name
    who = row.get("submitter_and_round", "")
    if mlperf:
        submitter, _, version = who.rpartition(" ")
        who = f"{submitter}, MLPerf® Training {version}"
    return ", ".join(part for part in (row["workload"], row.get("accelerator"), who) if part)


def _is_extra(header: str) -> bool:
    return header in ("global_batch_size", "samples_to_converge", "runs_used") or _is_spread(header)


def _is_spread(header: str) -> bool:
    return bool({"sd", "std"} & set(header.lower().split("_")))


def _column(rows: Sequence[Mapping[str, str]], header: str) -> tuple[float, ...]:
    cells = [row.get(header, "") for row in rows]
    return tuple(map(float, cells)) if all(cells) else ()


def _spreads(
    by_workers: Mapping[int, Mapping[str, str]],
    tables: Mapping[str, Table],
    roles: Mapping[str, reading.Column],
    workers: Sequence[int],
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    """Find how far runs stray: in repeats, or in the columns that say so."""
    table = tables.get("time") or tables["throughput"]
    logs = [np.log(table.seconds(N)) for N in workers]
    if min(map(len, logs)) > 1:
        return tuple(float(v.std(ddof=1)) for v in logs), tuple(map(len, logs)), 0
    rows = [by_workers[N] for N in workers]
    spread = next(filter(_is_spread, rows[0]), "")
    used, time = _column(rows, "runs_used"), roles.get("time")
    sds, times = _column(rows, spread), _column(rows, time.header) if time else ()
    if not (sds and used and times):
        return (), (), 0
    shares = tuple(sd / t for sd, t in zip(sds, times, strict=True))
    return shares, tuple(int(each) + DROPPED for each in used), DROPPED
