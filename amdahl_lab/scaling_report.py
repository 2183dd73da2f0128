"""What `fit` and `predict` of the command line print and draw, from a run or a user's table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amdahl_lab import fitting, storage
from amdahl_lab.records import Interval, ScalingRun
from amdahl_lab.tables import Table, read_table

SEED = 20260101  # of the draws behind intervals, so that a command prints the same twice
DRAW_TO = 4  # a plot shows the laws up to this many times the largest measured N


@dataclass(frozen=True)
class Measured:
    """Measurements from a file, and which of them enter the fits.

    Parameters
    ----------
    source : ScalingRun or Table
        The measurements.
    title : str
        What and where.
    workers : tuple of int
        Numbers of workers that are fitted.
    left_out : tuple of int
        Those with more workers than cores.
    """

    source: ScalingRun | Table
    title: str
    workers: tuple[int, ...]
    left_out: tuple[int, ...] = ()

    @property
    def reference(self) -> int:
        """Workers that speedups are counted from: 1, or the smallest N that was measured."""
        return min(self.workers)

    @property
    def notes(self) -> tuple[str, ...]:
        """What reading the file brought up."""
        return self.source.notes if isinstance(self.source, Table) else ()


def read(path: Path, chosen: Sequence[int] | None = None, **options: object) -> Measured:
    """Read a run or a table.

    Parameters
    ----------
    path : Path
        A run of this package, or a table as `amdahl_lab.tables` describes it.
    chosen : sequence of int, optional
        Numbers of workers to fit; where it is not given, all that were not oversubscribed.
    **options
        For a table, as `tables.read_table` takes them.

    Returns
    -------
    Measured
        The measurements.

    Raises
    ------
    ValueError
        If the file can't be read, or a chosen number of workers is not in it.
    """
    opening = path.read_bytes()[:64].lstrip() if path.suffix.lower() == ".json" else b""
    if opening[:1] == b"{":
        run = storage.load_run(path)
        measured, left_out = run.workers, tuple(N for N in run.workers if run.oversubscribed(N))
        source, title = run, f"{run.experiment} on {run.machine.name}"
    else:
        source = read_table(path, **options)
        measured, left_out, title = source.workers, (), path.name
    if chosen is not None:
        missing = sorted(set(chosen) - set(measured))
        if missing:
            raise ValueError(
                f"workers must be among those measured ({_listed(measured)}), got "
                f"{_listed(missing)}"
            )
        left_out = ()
    kept = tuple(sorted(set(chosen))) if chosen else tuple(N for N in measured if N not in left_out)
    if not kept:
        raise ValueError(f"{path.name}: every number of workers is oversubscribed")
    return Measured(source, title, kept, left_out)


def fits(measured: Measured, level: float = 0.95) -> dict[str, fitting.Fit | Exception]:
    """Fit all laws to the measurements."""
    return fitting.fit_all(
        measured.source, rng=np.random.default_rng(SEED), level=level, workers=measured.workers
    )


def fit_text(measured: Measured, level: float = 0.95) -> str:
    """Write the table of all laws that can be identified, and why the others can't.

    Parameters
    ----------
    measured : Measured
        The measurements.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    str
        The text, without a line break at its end.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be inside 0 to 1, got {level!r}")
    found = fits(measured, level)
    held_out = _held_out(measured, level)
    last = f"error at N = {max(measured.workers)}"
    rows = [("law", "parameter", "estimate", f"{level:.0%} interval", f"{last}, held out")]
    for law, fit in _identified(found).items():
        for number, (name, interval) in enumerate(fit.parameters.items()):
            error = held_out.get(law)
            told = f"{100 * error.error:+.1f}%" if isinstance(error, fitting.HeldOut) else "-"
            rows.append(
                (
                    law if number == 0 else "",
                    name,
                    f"{interval.estimate:.3g}",
                    f"{interval.low:.3g} to {interval.high:.3g}",
                    told if number == 0 else "",
                )
            )
    return "\n".join([*_heading(measured, found), "", *_aligned(rows), *_remarks(found)])


def predict_text(measured: Measured, workers: Sequence[float], level: float = 0.95) -> str:
    """Write what each law predicts at other numbers of workers.

    Parameters
    ----------
    measured : Measured
        The measurements.
    workers : sequence of float, each at least 1
        Numbers of workers N.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    str
        The text, without a line break at its end.

    Raises
    ------
    ValueError
        If a number of workers is out of range.
    """
    found, over = fits(measured, level), measured.reference
    rate = isinstance(measured.source, Table) and measured.source.quantity == "throughput"
    rows = [
        (
            "N",
            "law",
            "speedup",
            f"{level:.0%}, the law",
            f"{level:.0%}, a new round",
            "per second" if rate else "seconds",
        )
    ]
    for N in workers:
        beyond = "" if min(measured.workers) <= N <= max(measured.workers) else " *"
        for number, (law, fit) in enumerate(_identified(found).items()):
            mean = fit.predict(N, over=over)[0]
            new = fit.predict(N, over=over, new_rounds=1)[0]
            seconds = fit.predict_seconds(N)[0].estimate
            rows.append(
                (
                    f"{N:g}{beyond}" if number == 0 else "",
                    law,
                    f"{mean.estimate:.3g}",
                    f"{mean.low:.3g} to {mean.high:.3g}",
                    f"{new.low:.3g} to {new.high:.3g}",
                    f"{1 / seconds if rate else seconds:.4g}",
                )
            )
    base = "one worker" if over == 1 else f"{over} workers, the fewest measured"
    return "\n".join(
        [
            *_heading(measured, found),
            f"Speedups over {base}; both intervals take the law for true.",
            "* beyond what was measured",
            "",
            *_aligned(rows),
            *_remarks(found),
        ]
    )


def picture(measured: Measured, level: float = 0.95, *, largest: float | None = None):
    """Draw the measurements and every fitted law.

    Parameters
    ----------
    measured : Measured
        The measurements.
    level : float, inside 0 to 1
        Confidence level.
    largest : float, optional
        Largest number of workers shown.

    Returns
    -------
    figures.Picture
        The figure with its alternative text.

    Raises
    ------
    ValueError
        If no law can be identified.
    """
    from amdahl_lab import figures

    found, over = _identified(fits(measured, level)), measured.reference
    if not found:
        raise ValueError("there is nothing to draw: no law can be identified")
    last = max(measured.workers)
    shown = max(largest or 0.0, DRAW_TO * last)
    # From the reference to the next whole number there is no worker, and no curve.
    N = np.unique([over, *np.geomspace(over + 1, shown, 120), last])
    figure, axes = figures.canvas(figsize=(6.4, 5.6))
    figures.speedup_axes(axes, shown, "Measured and fitted", reference=over)
    curves = {law: fit.predict(N, over=over) for law, fit in found.items()}
    alt = figures.fitted(axes, N, curves, measured_to=last)
    points = _points(measured, level)
    over_cores = [n for n in points if n in measured.left_out]
    alt += " " + figures.measured(axes, points, label=measured.title, oversubscribed=over_cores)
    heights = [point.estimate for point in points.values()]
    axes.set_ylim(min([0.9, *(0.8 * height for height in heights)]), 1.2 * shown / over)
    return figures.Picture(figure, alt)


def _points(measured: Measured, level: float) -> dict[int, Interval]:
    source, over = measured.source, measured.reference
    growing = isinstance(source, Table) and source.work and source.quantity == "seconds"
    work = {N: source.work[N] / source.work[over] if growing else 1.0 for N in source.workers}
    if isinstance(source, ScalingRun) and "batch_per_worker" in source.parameters:
        work = {N: N / over for N in source.workers}
    if min(len(source.seconds(N)) for N in source.workers) < 2:
        base = source.seconds(over).mean()
        ratios = {N: base / source.seconds(N).mean() for N in source.workers if over < N}
        return {N: Interval(*[work[N] * ratio] * 3, level) for N, ratio in ratios.items()}
    return {
        N: Interval(*(work[N] * end for end in (s.estimate, s.low, s.high)), level)
        for N, s in fitting.speedups(source, level, over=over).items()
    }


def _held_out(measured: Measured, level: float) -> Mapping[str, object]:
    try:
        return fitting.held_out_errors(
            measured.source, rng=np.random.default_rng(SEED), level=level, workers=measured.workers
        )
    except fitting.NotIdentifiedError:
        return {}


def _identified(found: Mapping[str, object]) -> dict[str, fitting.Fit]:
    return {law: fit for law, fit in found.items() if isinstance(fit, fitting.Fit)}


def _heading(measured: Measured, found: Mapping[str, object]) -> list[str]:
    bases = list(dict.fromkeys(fit.basis for fit in _identified(found).values()))
    lines = [measured.title, f"N = {_listed(measured.workers)}"]
    if len(bases) == 1:
        lines.append(f"Intervals from {bases[0]}")
    if measured.left_out:
        lines.append(f"Left out, more workers than cores: N = {_listed(measured.left_out)}")
    return [*lines, *(f"Note: {note}" for note in measured.notes)]


def _remarks(found: Mapping[str, object]) -> list[str]:
    laws: dict[str, list[str]] = {}
    for law, fit in _identified(found).items():
        for note in fit.notes:
            laws.setdefault(note, []).append(law)
    lines = [f"Note on {', '.join(names)}: {note}" for note, names in laws.items()]
    refused = {law: why for law, why in found.items() if isinstance(why, Exception)}
    if refused:
        lines += [
            *([""] if lines else []),
            "Not fitted:",
            *(f"  {law}: {why}" for law, why in refused.items()),
        ]
    return ["", *lines] if lines else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
