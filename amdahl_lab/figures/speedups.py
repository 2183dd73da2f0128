"""Speedup over the number of workers: of laws, of fits, as measured."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES, LAWS
from amdahl_lab.records import Interval


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
