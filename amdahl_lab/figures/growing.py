"""Futures that data leave open, batches against steps, schedules, goodput, time against cost."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.records import Interval


def fan(
    axes: Axes,
    workers: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    *,
    label: str,
    colour: str = COLOURS["model"],
) -> str:
    """Draw all speedups between two curves.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw, set up by `speedup_axes`.
    workers, low, high : sequence of float, shape (K,)
        Numbers of workers, and the least and the most speedup.
    label : str
        What leaves this fan open.
    colour : str
        Its colour.

    Returns
    -------
    str
        The alternative text.
    """
    axes.fill_between(workers, low, high, color=colour, alpha=0.18, lw=0, label=label)
    for edge in (low, high):
        axes.plot(workers, edge, "--", color=colour, lw=1.3)
    axes.legend(frameon=False)
    return f"{label}: on {workers[-1]:g} workers between {low[-1]:.3g} and {high[-1]:.3g} times."


def futures(axes: Axes, rows: Mapping[str, Interval], truth: float, *, quantity: str) -> str:
    """Draw what each of several studies would tell, one row each, beside the truth.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    rows : mapping of str to Interval
        For each study the predicted value.
    truth : float
        The value that was put in.
    quantity : str
        What it is, for the axis.

    Returns
    -------
    str
        The alternative text.
    """
    for row, found in enumerate(rows.values()):
        axes.plot([found.low, found.high], [row, row], color=COLOURS["measured"], lw=2)
        axes.plot(found.estimate, row, "o", color=COLOURS["measured"])
    axes.axvline(truth, color=CURVES[1], lw=1.5, label=f"truth, {truth:.3g}")
    axes.set(xscale="log", xlabel=quantity, yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticklabels(list(rows))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xticks([4, 8, 16, 32, 64])
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    told = "; ".join(f"{name}: {found:.3g}" for name, found in rows.items())
    return f"Intervals of {quantity}, one row for each study; the truth is {truth:.3g}. {told}."


def batch_curve(
    axes: Axes,
    batches: Sequence[int],
    measured: Mapping[int, Interval],
    law: Sequence[float],
    band: np.ndarray,
    *,
    quantity: str,
) -> str:
    """Draw steps or samples to a target over the batch, with the fitted law and its band.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    batches : sequence of int, shape (K,)
        Batches at which the law is drawn.
    measured : mapping of int to Interval
        For each measured batch the typical value over seeds.
    law : sequence of float, shape (K,)
        The law.
    band : ndarray, shape (2, K)
        Ends of its interval.
    quantity : str
        "steps to the target" or "samples to the target".

    Returns
    -------
    str
        The alternative text.
    """
    axes.fill_between(batches, *band, color=COLOURS["model"], alpha=0.18, lw=0)
    axes.plot(batches, law, color=COLOURS["model"], label="fitted law, 95% interval")
    for number, (batch, found) in enumerate(measured.items()):
        axes.errorbar(
            batch,
            found.estimate,
            [[found.estimate - found.low], [found.high - found.estimate]],
            fmt="o",
            color=COLOURS["measured"],
            capsize=3,
            label="measured, 95% interval" if number == 0 else None,
        )
    axes.set(xscale="log", yscale="log", xlabel="batch B (samples)", ylabel=quantity)
    axes.set_xticks([8, 32, 128, 512])
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(ticker.NullFormatter())
    axes.legend(frameon=False, fontsize=9)
    told = "; ".join(f"{found.estimate:.3g} at batch {batch}" for batch, found in measured.items())
    return f"Measured {quantity} over the batch: {told}."


def goodputs(
    axes: Axes,
    intervals: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    simulated: Mapping[float, Interval],
    marks: Mapping[str, float],
    *,
    unit: str,
) -> str:
    """Draw goodput over the work between checkpoints: closed forms, a simulation, chosen intervals.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    intervals : sequence of float, shape (K,)
        Work between two checkpoints.
    curves : mapping of str to sequence, shape (K,)
        Goodput by each closed form.
    simulated : mapping of float to Interval
        Goodput of simulated jobs.
    marks : mapping of str to float
        Intervals to mark, by name.
    unit : str
        Unit of the intervals.

    Returns
    -------
    str
        The alternative text.
    """
    for colour, (name, values) in zip(CURVES, curves.items(), strict=False):
        axes.plot(intervals, values, color=colour, label=name)
    for number, (tau, found) in enumerate(simulated.items()):
        axes.errorbar(
            tau,
            found.estimate,
            [[found.estimate - found.low], [found.high - found.estimate]],
            fmt="o",
            color=COLOURS["measured"],
            capsize=3,
            label="simulated, 95% interval" if number == 0 else None,
        )
    for style, (name, tau) in zip((":", "--", "-."), marks.items(), strict=False):
        axes.axvline(tau, color="0.5", lw=1.2, ls=style, label=f"{name}, {tau:.3g} {unit}")
    axes.set(xscale="log", xlabel=f"work between checkpoints ({unit})", ylabel="goodput")
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=0))
    axes.legend(frameon=False, fontsize=9, loc="lower center")
    told = "; ".join(
        f"{found.estimate:.1%} at {tau:.3g} {unit}" for tau, found in simulated.items()
    )
    return f"Goodput over the work between checkpoints, rising and falling. Simulated: {told}."


def plans(
    axes: Axes,
    hours: Sequence[float],
    cost: Sequence[float],
    best: Sequence[int],
    names: Mapping[int, str],
    *,
    deadline: float,
) -> str:
    """Draw plans by time and cost, the frontier among them, and a deadline.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    hours, cost : sequence of float, shape (plans,)
        Time and cost of each plan.
    best : sequence of int
        Places of the plans of the frontier, in order.
    names : mapping of int to str
        Plans to name, by place.
    deadline : float
        Hours.

    Returns
    -------
    str
        The alternative text.
    """
    hours, cost = np.asarray(hours), np.asarray(cost)
    axes.plot(hours, cost, ".", color=COLOURS["waiting"], ms=4, label="plans")
    axes.plot(
        hours[best], cost[best], "-", color=COLOURS["model"], label="no plan is better in both"
    )
    axes.axvline(deadline, color="0.4", lw=1.2, ls=":", label=f"deadline, {deadline:g} h")
    for place, name in names.items():
        axes.plot(hours[place], cost[place], "o", color=CURVES[1])
        axes.annotate(
            name, (hours[place], cost[place]), xytext=(6, 8), textcoords="offset points", fontsize=9
        )
    axes.set(xscale="log", yscale="log", xlabel="hours to the target", ylabel="cost (worker-hours)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(ticker.NullFormatter())
    _legend_below(axes)
    told = "; ".join(
        f"{name}: {hours[place]:.3g} hours for {cost[place]:.3g} worker-hours"
        for place, name in names.items()
    )
    return f"Cost against time of many plans; the frontier falls as time grows. {told}."


def _legend_below(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=9, ncol=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
