"""What `split` of the command line prints: for each series its loss, its step, and its guesses."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amdahl_lab.fitting import NotIdentifiedError
from amdahl_lab.recorded.published import MLPERF_NOTICE
from amdahl_lab.records import Interval
from amdahl_lab.time_to_train import (
    Guess,
    Series,
    fit_half_efficiency_batch,
    held_out_guesses,
    read_series,
    split_of_loss,
)

SEED = 20260101  # of the draws behind intervals, so that a command prints the same twice


def split_text(path: Path, level: float = 0.95, **options: object) -> str:
    """Write what became of the workers of every series in a file.

    Parameters
    ----------
    path : Path
        A table as `amdahl_lab.time_to_train.series` describes it.
    level : float, inside 0 to 1
        Confidence level.
    **options
        As `read_series` takes them.

    Returns
    -------
    str
        The text, without a line break at its end.

    Raises
    ------
    ValueError
        If the file can't be read as such a table, or the level is out of range.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    series = read_series(path, **options)
    parts = [_of_one(each, level) for each in series.values()]
    if any(each.mlperf for each in series.values()):
        parts.append(MLPERF_NOTICE)
    return "\n\n".join(parts)


def _of_one(series: Series, level: float) -> str:
    rng = np.random.default_rng(SEED)
    lines = [f"{series.name}: {series.title}", *(f"Note: {note}" for note in series.notes)]
    try:
        lines += ["", *_split(series, level, rng)]
    except ValueError as refusal:
        lines += ["", f"Not split: {refusal}"]
    try:
        h = fit_half_efficiency_batch(series, rng=rng, level=level).half_efficiency_batch
        lines += ["", f"Half of a step is lost at {_told(h, '.3g')} samples for each worker"]
    except NotIdentifiedError as refusal:
        lines += ["", f"No law of the step: {refusal}"]
    return "\n".join([*lines, "", *_guesses(series)])


def _split(series: Series, level: float, rng: np.random.Generator) -> list[str]:
    splits = split_of_loss(series, rng=rng, level=level)
    rows = [("N", "speedup", "efficiency", "machine", "optimiser", "machine's share of the loss")]
    for each in splits:
        parts = (each.efficiency, each.machine, each.optimiser)
        rows.append(
            (
                str(each.workers),
                _told(each.speedup, ".3g"),
                *(_told(part, ".3f") for part in parts),
                _told(each.machine_share, ".2f"),
            )
        )
    known = series.log_time_draws(2, np.random.default_rng(0)) is not None
    basis = f"{level:.0%} intervals" if known else "no intervals: nothing tells how far times stray"
    over = f"Over N = {series.workers[0]}; efficiency = machine x optimiser; {basis}"
    return [over, *_aligned(rows)]


def _guesses(series: Series) -> list[str]:
    if len(series.workers) < 3:
        return ["Nothing held out: fewer than three numbers of workers"]
    columns = [name for name, held in (("rate", series.rates), ("time", series.seconds)) if held]
    guesses = {column: held_out_guesses(series, column) for column in columns}
    rows = [("law", *(f"error of the {column}" for column in columns), "points left over")]
    for law in guesses[columns[0]]:
        each = [guesses[column][law] for column in columns]
        freedom = next((str(guess.freedom) for guess in each if isinstance(guess, Guess)), "-")
        told = [f"{100 * g.error:+.1f}%" if isinstance(g, Guess) else "-" for g in each]
        rows.append((law, *told, freedom))
    held = f"N = {series.workers[-1]} held out; error of the predicted time, of a sample and in all"
    return [held, *_aligned(rows)]


def _told(interval: Interval, spec: str) -> str:
    if interval.width == 0:
        return f"{interval.estimate:{spec}}"
    return f"{interval.estimate:{spec}} ({interval.low:{spec}} to {interval.high:{spec}})"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
