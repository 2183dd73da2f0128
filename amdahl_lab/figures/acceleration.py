"""Faster parts: promised beside measured, ranges that data sheets allow, gains over size."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.records import Interval


def promised(
    axes: Axes,
    rows: Mapping[str, tuple[Interval, Interval]],
    *,
    quantity: str,
    none: float = 1.0,
) -> str:
    """Draw for each row what was predicted and, below it, what was measured.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to pair of Interval
        For each label the prediction and the measurement. A prediction without width is a count.
    quantity : str
        What is predicted, with its unit.
    none : float
        Value at which nothing is gained, drawn as a line.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    axes.axvline(none, color=COLOURS["ideal"], lw=1, ls=":")
    for row, (name, pair) in enumerate(rows.items()):
        styles = (
            ("predicted", COLOURS["model"], "D", -0.14, "--"),
            ("measured", COLOURS["measured"], "o", 0.14, "-"),
        )
        for interval, (word, colour, mark, shift, dash) in zip(pair, styles, strict=True):
            axes.plot([interval.low, interval.high], [row + shift] * 2, dash, color=colour, lw=2)
            axes.plot(
                interval.estimate,
                row + shift,
                mark,
                color=colour,
                label=(f"{word} (95% interval)" if interval.width > 0 else word)
                if row == 0
                else None,
            )
        before = f"{pair[0]:.2f}" if pair[0].width > 0 else f"{pair[0].estimate:.2f}"
        told.append(f"{name}: predicted {before}, measured {pair[1]:.2f}")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.set_xlabel(quantity)
    axes.figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside lower center")
    return f"{quantity}, predicted and measured. " + "; ".join(told) + "."


def allowed(
    axes: Axes,
    rows: Mapping[str, tuple[float, float]],
    claims: Mapping[str, float],
    *,
    quantity: str,
) -> str:
    """Draw the range that data sheets allow for each pair of parts, and claims as lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to pair of float
        For each label the least and the most.
    claims : mapping of str to float
        What somebody claims, by name.
    quantity : str
        What the axis shows.

    Returns
    -------
    str
        The alternative text.
    """
    for row, (low, high) in enumerate(rows.values()):
        axes.plot([low, high], [row, row], color=COLOURS["model"], lw=7, solid_capstyle="butt")
    for (name, value), colour in zip(claims.items(), (CURVES[4], CURVES[2]), strict=False):
        axes.axvline(value, color=colour, ls="--", lw=1.6, label=name)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(ylim=(len(rows) - 0.5, -0.5), xscale="log", xlabel=quantity)
    _plain(axes.xaxis)
    axes.figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside lower center")
    ranges = "; ".join(f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in rows.items())
    lines = ", ".join(f"{name} at {value:g}" for name, value in claims.items())
    return f"{quantity}, ranges: {ranges}. Claimed: {lines}."


def on_a_scale(
    axes: Axes, values: Mapping[str, float], claims: Mapping[str, float], *, quantity: str
) -> str:
    """Draw values as dots on a logarithmic scale, one row each, and claims as lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    values, claims : mapping of str to float
        What is known and what is claimed, in one unit.
    quantity : str
        What the axis shows, with its unit.

    Returns
    -------
    str
        The alternative text.
    """
    axes.plot(list(values.values()), range(len(values)), "o", color=COLOURS["model"])
    for name, value in claims.items():
        axes.axvline(value, color=CURVES[4], ls="--", lw=1.6, label=name)
    axes.set_yticks(range(len(values)), list(values))
    axes.set(ylim=(len(values) - 0.5, -0.5), xscale="log", xlabel=quantity)
    axes.figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside lower center")
    told = "; ".join(f"{name} {value:.3g}" for name, value in values.items())
    lines = ", ".join(f"{name} at {value:.3g}" for name, value in claims.items())
    return f"{quantity}, on a logarithmic scale: {told}. Claimed: {lines}."


def over_size(
    axes: Axes,
    sizes: Sequence[float],
    predicted: Sequence[Interval],
    measured: Sequence[Interval],
    *,
    size: str,
    even: Interval | None = None,
) -> str:
    """Draw a predicted and a measured speedup over a size, with the size where nothing is gained.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    sizes : sequence of float, shape (K,)
        Sizes.
    predicted, measured : sequence of Interval, shape (K,)
        Speedups.
    size : str
        What the size is, for the axis.
    even : Interval, optional
        Predicted size from which on there is a gain.

    Returns
    -------
    str
        The alternative text.
    """
    if even is not None and np.isfinite(even.estimate):
        axes.axvspan(even.low, min(even.high, max(sizes)), color=COLOURS["model"], alpha=0.12, lw=0)
        axes.axvline(even.estimate, color=COLOURS["model"], lw=1, label="predicted break-even")
    axes.axhline(1, color=COLOURS["ideal"], lw=1, ls=":")
    centre = np.array([each.estimate for each in predicted])
    low, high = (np.array([getattr(each, end) for each in predicted]) for end in ("low", "high"))
    axes.plot(sizes, centre, "--", color=COLOURS["model"], label="predicted from the parts")
    axes.fill_between(sizes, low, high, color=COLOURS["model"], alpha=0.15, lw=0)
    found = np.array([each.estimate for each in measured])
    ends = [[each.estimate - each.low for each in measured]]
    ends.append([each.high - each.estimate for each in measured])
    axes.errorbar(
        sizes,
        found,
        ends,
        fmt="o",
        color=COLOURS["measured"],
        capsize=4,
        label="measured (95% interval)",
    )
    axes.set(xscale="log", yscale="log", xlabel=size, ylabel="speedup over the host alone")
    axes.set_xticks(list(sizes), [f"{each:g}" for each in sizes])
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    _plain(axes.yaxis)
    axes.figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside lower center")
    told = "; ".join(
        f"{each:g} predicted {before.estimate:.2g}, measured {after:.2g}"
        for each, before, after in zip(sizes, predicted, measured, strict=True)
    )
    return f"Speedup over {size}: {told}."


def designs(
    axes: Axes,
    core: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    best: Mapping[str, tuple[float, float]],
) -> str:
    """Draw the speedup of chip designs over the units of a core, with the best of each.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    core : sequence of float, shape (K,)
        Units of a core.
    curves : mapping of str to sequence, shape (K,)
        For each design the speedups.
    best : mapping of str to pair of float
        For each design its best core and the speedup with it.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for colour, (name, speedups) in zip(CURVES, curves.items(), strict=False):
        axes.plot(core, speedups, color=colour, label=name)
        axes.plot(*best[name], "o", color=colour)
        told.append(f"{name} is best with {best[name][0]:.3g} units, {best[name][1]:.3g}")
    axes.set(xscale="log", xlabel="units of a large core r", ylabel="speedup over one small core")
    axes.xaxis.set_major_locator(ticker.LogLocator(base=4))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.legend(frameon=False)
    return "Speedup over the units of a core: " + "; ".join(told) + "."


def _plain(axis) -> None:
    for place in ("major", "minor"):
        getattr(axis, f"set_{place}_formatter")(
            ticker.FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else "")
        )
