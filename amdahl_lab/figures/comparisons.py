"""Comparisons of A and B: wrong beside right, what could be mended, and who has arrived."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from amdahl_lab.figures.bottlenecks import plain_logarithm
from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.records import Interval
from amdahl_lab.survival import Survival

WRONG = COLOURS["communication"]


def wrong_and_right(axes: Axes, rows: Mapping[str, tuple[float, Interval]]) -> str:
    """Draw for each comparison the wrong ratio beside the right one with its interval.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to (float, Interval)
        For each way to be fooled the time of A over that of B as it came out, and as it is.

    Returns
    -------
    str
        The alternative text.
    """
    axes.axvline(1, color=COLOURS["ideal"], lw=1.2)
    told = []
    for row, (name, (wrong, right)) in enumerate(rows.items()):
        label = ("wrong", "right, 95% interval") if row == 0 else (None, None)
        axes.plot(wrong, row - 0.14, "X", color=WRONG, ms=8, label=label[0])
        axes.plot([right.low, right.high], [row + 0.14] * 2, color=COLOURS["measured"], lw=2)
        axes.plot(right.estimate, row + 0.14, "o", color=COLOURS["measured"], label=label[1])
        told.append(f"{name} {wrong:.3g} instead of {right.estimate:.3g}")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(
        xscale="log", ylim=(len(rows) - 0.5, -0.6), xlabel='how many times as fast "B" looks as "A"'
    )
    most = max(wrong for wrong, _ in rows.values())
    plain_logarithm(axes.xaxis, [0.5, 1, 2, 5, 10, 100, 1000] if most > 8 else [0.5, 1, 2, 3, 5, 8])
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=9)
    return "How many times as fast B looks: " + "; ".join(told) + "."


def limits(axes: Axes, shares: Mapping[str, Interval], bounds: Mapping[str, Interval]) -> str:
    """Draw each part's share of the time, and the most that mending it could bring.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    shares : mapping of str to Interval
        For each part its share of the step.
    bounds : mapping of str to Interval
        For each part the speedup of the step if it took no time at all.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for row, (name, share) in enumerate(shares.items()):
        axes.barh(row, 100 * share.estimate, color=COLOURS["compute"], height=0.6)
        axes.plot([100 * share.low, 100 * share.high], [row, row], color=COLOURS["measured"], lw=2)
        axes.text(100 * share.high + 1.5, row, f"at most {bounds[name].estimate:.2f}×", va="center")
        told.append(f"{name} {share.estimate:.0%}, at most {bounds[name].estimate:.2f} times")
    axes.set_yticks(range(len(shares)), list(shares))
    most = 100 * max(share.high for share in shares.values())
    axes.set(xlim=(0, most * 1.35), ylim=(len(shares) - 0.5, -0.5), xlabel="share of the step in %")
    axes.grid(axis="y", visible=False)
    return "Share of the step, and speedup of the step without it: " + "; ".join(told) + "."


def arrivals(axes: Axes, curves: Mapping[str, Survival], until: float, *, quantity: str) -> str:
    """Draw for each method the share of runs that have reached the target.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    curves : mapping of str to Survival
        The curves.
    until : float
        Where the runs were stopped.
    quantity : str
        What the time is, with its unit.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    dashes = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))
    for (name, curve), colour, dash in zip(curves.items(), CURVES, dashes, strict=False):
        x = np.concatenate([[0.0], curve.times, [until]])
        y = 100 * (1 - np.concatenate([[1.0], curve.share]))
        axes.plot(x, np.append(y, y[-1]), drawstyle="steps-post", color=colour, ls=dash, label=name)
        told.append(f"{name} {y[-1]:.0f}%")
    axes.set(xlabel=quantity, ylabel="runs at the target in %", ylim=(-2, 104), xlim=(0, until))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.08), ncols=3, fontsize=9)
    return f"Share of runs at the target at the end of the budget, {until:.3g}: {', '.join(told)}."
