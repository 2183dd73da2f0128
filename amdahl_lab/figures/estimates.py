"""Estimates with their intervals, and times with their parts."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS
from amdahl_lab.records import Interval


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
