"""Drawings on an axes that the caller gives; nothing is computed or measured here.

Every function returns the alternative text of what it drew: the shape and the finding, in words.
One colour means one thing in the whole book; `COLOURS` says what.
"""

import io
import os
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amdahl_lab.records import Interval

COLOURS = {
    "compute": "#0072B2",
    "communication": "#D55E00",
    "waiting": "#999999",
    "serial": "#CC79A7",
    "model": "#332288",
    "measured": "#222222",
    "ideal": "#999999",
}
# Lines of several models in one figure: none of them is a colour that has a meaning above.
CURVES = ("#332288", "#009E73", "#E69F00", "#56B4E9", "#882255")
# Fitted laws side by side: each keeps its colour whichever of the others are there.
LAWS = {
    "Amdahl": CURVES[0],
    "Amdahl with measured communication": CURVES[1],
    "USL": CURVES[2],
    "Gustafson": CURVES[4],
    "constant efficiency": CURVES[3],
}
STYLE = {
    "figure.figsize": (6.4, 4.2),
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
}


class Picture:
    """A figure with its alternative text, for a notebook to show.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it is closed to further drawing once shown.
    alt : str
        The shape and the finding in words: what a reader who cannot see it is told.

    Raises
    ------
    ValueError
        If there is no alternative text.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        if not alt.strip():
            raise ValueError("alt must tell the shape and the finding, got an empty text")
        self.figure, self.alt = figure, alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        return {"image/png": buffer.getvalue(), "text/plain": self.alt}, {
            "image/png": {"alt": self.alt}
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the figure to a new PNG or SVG file that carries the alternative text.

        Parameters
        ----------
        path : path-like
            A name that ends in .png or .svg and is not taken.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        FileExistsError
            If there is such a file: it is left as it was.
        """
        kind = Path(path).suffix.lower()
        metadata = {
            ".png": {"Software": None, "Description": self.alt},
            ".svg": {"Date": None, "Description": self.alt},
        }
        if kind not in metadata:
            raise ValueError(f"path must end in .png or .svg, got {os.fspath(path)!r}")
        with open(path, "xb") as file:
            self.figure.savefig(file, format=kind[1:], bbox_inches="tight", metadata=metadata[kind])


def canvas(columns: int = 1, **size) -> tuple[Figure, Axes | np.ndarray]:
    """Make a figure in the book's style, without pyplot and so without a window to close.

    Parameters
    ----------
    columns : int
        Number of axes side by side.
    **size
        ``figsize`` in inches, where the usual one does not fit.

    Returns
    -------
    figure, axes
        The figure and its axes: one, or an array of them.
    """
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained", **size)
        return figure, figure.subplots(1, columns)


def speedup_axes(axes: Axes, largest: float, title: str = "", *, reference: int = 1) -> None:
    """Set up equal log-log axes of speedup over workers, with the line of perfect scaling.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    largest : float
        Largest number of workers shown.
    title : str
        The question that the figure answers.
    reference : int
        Workers that speedups are counted from, where that is not one worker.
    """
    over, perfect = (
        ("", "S = N") if reference == 1 else (f" over {reference} workers", f"S = N / {reference}")
    )
    axes.set(xscale="log", yscale="log", title=title)
    axes.set(xlabel="workers N", ylabel=f"speedup S{over}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(ticker.LogLocator(base=4 if largest > 64 else 2))
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(ticker.NullLocator())
    ends = np.array([reference, largest])
    axes.plot(ends, ends / reference, color=COLOURS["ideal"], lw=1, label=f"perfect: {perfect}")
    axes.set_aspect("equal")


def laws(
    axes: Axes,
    workers: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    dashed: Sequence[str] = (),
) -> str:
    """Draw speedups of one or more laws over the number of workers.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    workers : sequence of float, shape (K,)
        Numbers of workers.
    curves : mapping of str to sequence, shape (K,)
        For each label the speedups.
    dashed : sequence of str
        Labels to draw dashed: predictions, as opposed to fits and closed forms.

    Returns
    -------
    str
        The alternative text.
    """
    ends = []
    for colour, (label, speedups) in zip(cycle(CURVES), curves.items(), strict=False):
        axes.plot(workers, speedups, "--" if label in dashed else "-", color=colour, label=label)
        ends.append(f"{label} reaches {speedups[-1]:.3g}")
    axes.legend(frameon=False)
    return f"Speedup over 1 to {workers[-1]:g} workers: at the last one " + ", ".join(ends) + "."


def fitted(
    axes: Axes,
    workers: Sequence[float],
    curves: Mapping[str, Sequence[Interval]],
    *,
    measured_to: float,
) -> str:
    """Draw fitted laws: solid where there were measurements, dashed beyond, with their bands.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    workers : sequence of float, shape (K,)
        Numbers of workers.
    curves : mapping of str to sequence of Interval, shape (K,)
        For each law, under a name of `LAWS`, the speedups.
    measured_to : float
        Largest number of workers that the laws were fitted to.

    Returns
    -------
    str
        The alternative text.
    """
    N = np.asarray(workers, dtype=float)
    within, beyond = measured_to >= N, measured_to <= N
    told = []
    for law, speedups in curves.items():
        S, low, high = (
            np.array([getattr(speedup, end) for speedup in speedups])
            for end in ("estimate", "low", "high")
        )
        axes.plot(N[within], S[within], "-", color=LAWS[law], label=law)
        axes.plot(N[beyond], S[beyond], "--", color=LAWS[law])
        axes.fill_between(N, low, high, color=LAWS[law], alpha=0.15, lw=0)
        told.append(f"{law} {speedups[-1]:.3g}")
    axes.legend(frameon=False)
    return (
        f"Fitted laws, dashed beyond the largest measured number of workers, {measured_to:g}. "
        f"Speedup on {N[-1]:g} workers: " + "; ".join(told) + "."
    )


def measured(
    axes: Axes,
    speedups: Mapping[int, Interval],
    *,
    label: str,
    oversubscribed: Sequence[int] = (),
    colour: str = COLOURS["measured"],
    shift: float = 1.0,
) -> str:
    """Draw measured speedups with their intervals; hollow where workers outnumber cores.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    speedups : mapping of int to Interval
        For each number of workers the speedup.
    label : str
        What and where it was measured.
    oversubscribed : sequence of int
        Numbers of workers for which there were not enough cores.
    colour : str
        Colour of the points.
    shift : float
        Factor on the position along the axis, to keep two sets of points apart.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    bars = any(interval.width > 0 for interval in speedups.values())  # single values have none
    level = f" (bars: {next(iter(speedups.values())).level:.0%} interval)" if bars else ""
    for number, (workers, interval) in enumerate(sorted(speedups.items())):
        hollow = workers in oversubscribed
        axes.errorbar(
            workers * shift,
            interval.estimate,
            [[interval.estimate - interval.low], [interval.high - interval.estimate]],
            fmt="o",
            color=colour,
            markerfacecolor="none" if hollow else colour,
            capsize=4 if bars else 0,
            zorder=5,
            label=f"{label}{level}" if number == 0 else None,
        )
        told.append(
            (f"{interval:.2f}" if bars else f"{interval.estimate:.3g}")
            + f" on {workers} workers"
            + (" (oversubscribed)" if hollow else "")
        )
    axes.legend(frameon=False)
    return f"Measured speedup, {label}: " + "; ".join(told) + "."


def intervals(
    axes: Axes,
    rows: Mapping[str, Interval],
    *,
    quantity: str,
    truth: float | None = None,
) -> str:
    """Draw estimates with their intervals, one below the other.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to Interval
        For each label the estimate.
    quantity : str
        What is estimated, with its unit.
    truth : float, optional
        The known true value, drawn as a line.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for row, (label, interval) in enumerate(rows.items()):
        axes.plot([interval.low, interval.high], [row, row], color=COLOURS["measured"], lw=2)
        axes.plot(interval.estimate, row, "o", color=COLOURS["measured"])
        told.append(f"{label}: {interval:.3f}")
    if truth is not None:
        axes.axvline(truth, color=COLOURS["model"], ls="--", lw=1.5, label=f"truth, {truth:g}")
        axes.legend(frameon=False)
        told.append(f"the true value is {truth:g}")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(quantity)
    return f"Estimates of {quantity}: " + "; ".join(told) + "."


def stacked_times(
    axes: Axes, bars: Mapping[str, Mapping[str, float]], *, unit: str = "ms per step"
) -> str:
    """Draw times as stacked bars, one part of the time on the other.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    bars : mapping of str to mapping of str to float
        For each bar's label the parts by name; a name of `COLOURS` gives its colour.
    unit : str
        Unit of the times.

    Returns
    -------
    str
        The alternative text.
    """
    seen: set[str] = set()
    told = []
    for position, (label, parts) in enumerate(bars.items()):
        bottom = 0.0
        for part, height in parts.items():
            axes.bar(
                position,
                height,
                bottom=bottom,
                width=0.6,
                color=COLOURS[part],
                label=None if part in seen else part,
                edgecolor="white",
            )
            seen.add(part)
            bottom += height
        shares = ", ".join(f"{part} {height:.3g}" for part, height in parts.items())
        told.append(f"{label}: {shares}, together {bottom:.3g}")
    axes.set_xticks(range(len(bars)), list(bars))
    axes.set_ylabel(unit)
    axes.grid(axis="x", visible=False)
    axes.legend(frameon=False)
    return f"Parts of the time in {unit}. " + "; ".join(told) + "."
