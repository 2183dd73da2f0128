"""What is computed against what it takes: shares, rates, latencies, growth over the years."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.records import Interval

DARK = (0, 1, 4)  # of `CURVES`, those on which white is read better than ink


def point(axes: Axes, x: float, y: Interval, **style) -> None:
    """Draw one measured value with its interval, in ink."""
    axes.errorbar(
        x,
        y.estimate,
        [[y.estimate - y.low], [min(y.high, 1e300) - y.estimate]],
        **{"fmt": "o", "color": COLOURS["measured"], "capsize": 4, "zorder": 5} | style,
    )


def shares(axes: Axes, rows: Mapping[str, Mapping[str, float]], *, quantity: str = "share") -> str:
    """Draw for each row a bar that is cut into shares of one whole.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to mapping of str to float
        For each label the parts by name, in any unit; each bar is scaled to 100%.
    quantity : str
        What is shared out.

    Returns
    -------
    str
        The alternative text.
    """
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts))
    told = []
    for row, (label, parts) in enumerate(rows.items()):
        left, total = 0.0, sum(parts.values())
        for number, name in enumerate(names):
            share = 100 * parts.get(name, 0.0) / total
            axes.barh(
                row,
                share,
                left=left,
                height=0.62,
                color=CURVES[number % len(CURVES)],
                edgecolor="white",
                label=name if row == 0 else None,
            )
            if share > 7:
                axes.text(
                    left + share / 2,
                    row,
                    f"{share:.0f}%",
                    color="white" if number in DARK else "#222222",
                    ha="center",
                    va="center",
                )
            left += share
        told.append(
            f"{label}: "
            + ", ".join(f"{name} {100 * part / total:.0f}%" for name, part in parts.items())
        )
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlabel=f"{quantity} in %", xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=9)
    return f"Shares of {quantity}. " + "; ".join(told) + "."


def rates(axes: Axes, rows: Mapping[str, tuple[float, Interval]], *, ceiling: float) -> str:
    """Draw FLOPs per second over FLOPs per byte, both axes logarithmic.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to (float, Interval)
        For each operation its FLOPs per byte and its measured FLOPs per second.
    ceiling : float
        The highest rate seen, in FLOPs per second, drawn as a line.

    Returns
    -------
    str
        The alternative text.
    """
    axes.set(xscale="log", yscale="log")
    axes.axhline(ceiling / 1e9, color=COLOURS["ideal"], lw=1, ls="--")
    told = []
    for name, (intensity, rate) in rows.items():
        scaled = Interval(rate.estimate / 1e9, rate.low / 1e9, rate.high / 1e9)
        point(axes, intensity, scaled)
        axes.annotate(
            name,
            (intensity, scaled.estimate),
            xytext=(8, -14) if intensity < 20 else (-8, 7 if rate.estimate == ceiling else -16),
            textcoords="offset points",
            ha="left" if intensity < 20 else "right",
            fontsize=9.5,
        )
        told.append(f"{name}: {intensity:.2g} FLOPs per byte, {scaled.estimate:.3g} GFLOP/s")
    axes.set(xlabel="FLOPs per byte that must be moved", ylabel="GFLOP per second, one thread")
    return (
        f"Measured rate over intensity; the fastest reaches {ceiling / 1e9:.3g} GFLOP/s. "
        + "; ".join(told)
        + "."
    )


def tails(axes: Axes, batches: Sequence[int], percentiles: Mapping[str, Sequence[Interval]]) -> str:
    """Draw percentiles of latency over the batch, both axes logarithmic.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    batches : sequence of int, shape (K,)
        Batch sizes.
    percentiles : mapping of str to sequence of Interval, shape (K,)
        For each percentile its latencies in seconds; an infinite end is drawn as an arrow.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for number, (name, latencies) in enumerate(percentiles.items()):
        shift = 1.0 + 0.06 * number
        filled = COLOURS["measured"] if number else "white"
        for b, latency in zip(batches, latencies, strict=True):
            ms = Interval(1e3 * latency.estimate, 1e3 * latency.low, 1e3 * latency.high)
            unbounded = not np.isfinite(ms.high)
            shown = Interval(ms.estimate, ms.low, 2 * ms.estimate) if unbounded else ms
            point(axes, b * shift, shown, lolims=unbounded, mfc=filled, mec=COLOURS["measured"])
            told.append(
                f"{name} at batch {b}: {ms.estimate:.3g} ms ({ms.low:.3g} to {ms.high:.3g})"
            )
        axes.plot(
            np.array(batches) * shift,
            [1e3 * latency.estimate for latency in latencies],
            "-" if number else ":",
            marker="o",
            mfc=filled,
            mec=COLOURS["measured"],
            color=COLOURS["measured"],
            lw=1,
            label=f"{name} (bars: 95% interval)",
        )
    axes.set(xscale="log", yscale="log", xlabel="images in a batch", ylabel="latency in ms")
    axes.set_xticks(batches, [f"{b}" for b in batches], minor=False)
    axes.minorticks_off()
    axes.legend(frameon=False)
    return "Latency over the batch. " + "; ".join(told) + "."


def growth(
    axes: Axes,
    years: Sequence[float],
    amounts: Sequence[float],
    *,
    line: tuple[Sequence[float], Sequence[float]],
    names: Mapping[str, tuple[float, float]],
) -> str:
    """Draw amounts over years on a logarithmic axis, with the fitted straight line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    years, amounts : sequence of float, shape (n,)
        The points.
    line : two sequences of float
        Years and amounts of the fit.
    names : mapping of str to (float, float)
        Points that are named in the figure.

    Returns
    -------
    str
        The alternative text.
    """
    axes.plot(years, amounts, "o", color=COLOURS["measured"], ms=5)
    axes.plot(*line, color=COLOURS["model"])
    for name, (x, y) in names.items():
        below = np.log(y) < np.interp(x, line[0], np.log(line[1])) - 1  # away from the line
        axes.annotate(
            name,
            (x, y),
            xytext=(6, -12) if below else (-6, 5),
            textcoords="offset points",
            ha="left" if below else "right",
            fontsize=9,
        )
    axes.set(yscale="log")
    (first, last), (low, high) = (line[0][0], line[0][-1]), (line[1][0], line[1][-1])
    return (
        f"{len(years)} points from {min(years):.0f} to {max(years):.0f}, between "
        f"{min(amounts):.1e} and {max(amounts):.1e}. The straight line on the logarithmic axis "
        f"rises from {low:.1e} in {first:.0f} to {high:.1e} in {last:.0f}."
    )


def effects(axes: Axes, rows: Mapping[str, float], *, quantity: str) -> str:
    """Draw factors as bars to the left and the right of 1, on a logarithmic axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to float
        For each change the factor that it brings.
    quantity : str
        What is multiplied.

    Returns
    -------
    str
        The alternative text.
    """
    for row, factor in enumerate(rows.values()):
        axes.plot([1, factor], [row, row], color=COLOURS["model"], lw=9, solid_capstyle="butt")
        axes.annotate(
            f"× {factor:.2f}",
            (factor, row),
            xytext=(6 if factor >= 1 else -6, 0),
            textcoords="offset points",
            ha="left" if factor >= 1 else "right",
            va="center",
        )
    axes.axvline(1, color="0.5", lw=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xscale="log", xlabel=f"{quantity}, as a multiple of before")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(min(*rows.values(), 1) / 1.9, max(*rows.values(), 1) * 1.9)
    ticks = [
        tick for tick in (0.25, 0.5, 1, 2, 4) if axes.get_xlim()[0] < tick < axes.get_xlim()[1]
    ]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    return (
        f"Factor on the {quantity}: "
        + "; ".join(f"{label} {factor:.2f}" for label, factor in rows.items())
        + "."
    )
