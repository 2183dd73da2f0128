"""Rooflines, predictions beside measurements, messages over their size, and spreads of times."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.records import Interval


def roofline(
    axes: Axes,
    peak: Interval,
    bandwidth: Interval,
    points: Mapping[str, tuple[float, Interval]],
    *,
    apart: Sequence[str] = (),
    places: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """Draw a roof with its interval and operators under it, each with its name.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    peak, bandwidth : Interval
        FLOPs per second and bytes per second.
    points : mapping of str to (float, Interval)
        For each operator its FLOPs per byte and the FLOPs per second that it reached.
    apart : sequence of str
        Operators that lie outside the stated interval of the roof, drawn hollow.
    places : mapping of str to pair of float, optional
        Offset of a name from its point, in points; to the upper right where none is given.

    Returns
    -------
    str
        The alternative text.
    """
    span = [intensity for intensity, _ in points.values()]
    x = np.geomspace(min(span) / 2, max(span) * 2, 200)
    axes.fill_between(
        x,
        np.minimum(peak.low, x * bandwidth.low) / 1e9,
        np.minimum(peak.high, x * bandwidth.high) / 1e9,
        color=COLOURS["model"],
        alpha=0.2,
        lw=0,
    )
    roof = np.minimum(peak.estimate, x * bandwidth.estimate) / 1e9
    axes.plot(x, roof, color=COLOURS["model"], label="roof, with its 95% interval")
    told = []
    for number, (name, (intensity, rate)) in enumerate(points.items()):
        hollow = name in apart
        axes.errorbar(
            intensity,
            rate.estimate / 1e9,
            [[(rate.estimate - rate.low) / 1e9], [(rate.high - rate.estimate) / 1e9]],
            fmt="o",
            color=COLOURS["measured"],
            markerfacecolor="white" if hollow else COLOURS["measured"],
            capsize=3,
            zorder=5,
            label="measured, 95% interval (hollow: a miss)" if number == 0 else None,
        )
        axes.annotate(
            name,
            (intensity, rate.estimate / 1e9),
            xytext=(places or {}).get(name, (6, 4)),
            textcoords="offset points",
            fontsize=8.5,
        )
        told.append(f"{name} {rate.estimate / 1e9:.3g}" + (" (a miss)" if hollow else ""))
    axes.set(xscale="log", yscale="log", xlabel="FLOPs per byte", ylabel="billion FLOPs per second")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    return (
        f"A roofline: the roof rises by {bandwidth.estimate / 1e9:.3g} GB/s and is flat at "
        f"{peak.estimate / 1e9:.3g} billion FLOPs per second. Operators: " + "; ".join(told) + "."
    )


def over_prediction(axes: Axes, rows: Mapping[str, Interval], *, within: float, ratio: str) -> str:
    """Draw measured over predicted, one row each, with the band in which a prediction holds.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to Interval
        Measured value over predicted value.
    within : float, above 1
        A prediction holds if the ratio lies between 1 / `within` and `within`.
    ratio : str
        What the ratio is, for the axis.

    Returns
    -------
    str
        The alternative text.
    """
    axes.axvspan(1 / within, within, color=COLOURS["model"], alpha=0.12, lw=0)
    axes.axvline(1, color=COLOURS["model"], lw=1.2)
    told = []
    for row, (name, found) in enumerate(rows.items()):
        hit = 1 / within <= found.estimate <= within
        axes.plot([found.low, found.high], [row, row], color=COLOURS["measured"], lw=2)
        axes.plot(
            found.estimate,
            row,
            "o",
            color=COLOURS["measured"],
            markerfacecolor=COLOURS["measured"] if hit else "white",
        )
        told.append(f"{name} {found.estimate:.2f}" + ("" if hit else " (a miss)"))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(ylim=(len(rows) - 0.4, -0.6), xscale="log", xlabel=ratio)
    plain_logarithm(axes.xaxis, [0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8])
    return f"{ratio}: " + "; ".join(told) + f". The band reaches from 1/{within:g} to {within:g}."


def message_times(
    axes: Axes,
    seconds: Mapping[int, Interval],
    line: tuple[Sequence[float], Sequence[float]],
    *,
    label: str = "measured",
    colour: str = COLOURS["measured"],
) -> str:
    """Draw times of messages over their size, and a fitted line, on logarithmic axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    seconds : mapping of int to Interval
        For each size in bytes the typical time.
    line : pair of sequence of float
        Sizes in bytes and times in seconds of the model.
    label, colour
        Of the points.

    Returns
    -------
    str
        The alternative text.
    """
    kib, ms = 1024, 1e-3
    if len(line[0]):
        axes.plot(
            np.asarray(line[0]) / kib,
            np.asarray(line[1]) / ms,
            color=COLOURS["model"],
            label="latency + bytes / bandwidth, fitted",
        )
    found = list(seconds.items())
    values = np.array([interval.estimate for _, interval in found]) / ms
    ends = np.array([[each.low, each.high] for _, each in found]).T / ms
    axes.errorbar(
        [size / kib for size, _ in found],
        values,
        [values - ends[0], ends[1] - values],
        fmt="o",
        color=colour,
        capsize=4,
        label=f"{label} (bars: 95% interval)",
    )
    axes.set(xscale="log", yscale="log", xlabel="bytes of the buffer (KiB)", ylabel="time (ms)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(frameon=False)
    return (
        f"Times over size, {label}: "
        + "; ".join(
            f"{size / kib:g} KiB {interval.estimate / ms:.3g} ms" for size, interval in found
        )
        + "."
    )


def spread(axes: Axes, seconds: Sequence[float], *, marks: Mapping[str, float]) -> str:
    """Draw how often each time occurred, on a logarithmic axis of time.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    seconds : sequence of float
        Single times.
    marks : mapping of str to float
        Named times, such as the median and the mean, drawn as lines.

    Returns
    -------
    str
        The alternative text.
    """
    ms = np.asarray(seconds) / 1e-3
    axes.hist(ms, np.geomspace(ms.min() * 0.9, ms.max() * 1.1, 60), color=COLOURS["measured"])
    for (name, value), colour, dash in zip(marks.items(), CURVES, ("-", "--", ":"), strict=False):
        axes.axvline(value / 1e-3, color=colour, ls=dash, label=f"{name}, {value / 1e-3:.2g} ms")
    axes.set(xscale="log", yscale="log", xlabel="time of one all-reduce (ms)", ylabel="how often")
    axes.set_ylim(0.7, None)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(frameon=False)
    return (
        f"{len(ms)} times from {ms.min():.2g} to {ms.max():.2g} ms: "
        + ", ".join(f"{name} {value / 1e-3:.2g} ms" for name, value in marks.items())
        + "."
    )


def plain_logarithm(axis, values: Sequence[float]) -> None:
    """Label a logarithmic axis at these values, as plain numbers."""
    axis.set_major_locator(ticker.FixedLocator(values))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(ticker.NullLocator())
