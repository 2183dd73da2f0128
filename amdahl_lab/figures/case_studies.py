"""Published series and what laws make of them: guesses, losses, ridges, batches and calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amdahl_lab.figures.style import COLOURS, CURVES

# What is guessed with, by name; a law that other figures draw, too, has their colour.
GUESSES = {
    "Amdahl": (CURVES[0], "o"),
    "Amdahl with communication": (CURVES[1], "v"),
    "USL": (CURVES[2], "D"),
    "Gustafson": (CURVES[4], "^"),
    "constant efficiency": (CURVES[3], "s"),
    "Amdahl per step": ("#222222", "*"),
    "last efficiency": ("#999999", "x"),
    "straight line": ("#999999", "+"),
}
SIDES = {"machine": (CURVES[0], ""), "optimiser": (CURVES[2], "///")}


def guesses(axes: Axes, errors: Mapping[str, Mapping[str, float | None]]) -> str:
    """Draw how far each law's guess at the largest N was off, a row for each series.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    errors : mapping of str to mapping of str to float or None
        For each series and law the predicted over the measured time, less 1.

    Returns
    -------
    str
        The alternative text.
    """
    used: dict[str, None] = {}
    told = []
    for row, (series, found) in enumerate(errors.items()):
        known = {law: error for law, error in found.items() if error is not None}
        for law, error in known.items():
            colour, marker = GUESSES[law]
            size = 11 if marker == "*" else 7
            axes.plot(1 + error, row, marker, color=colour, ms=size, alpha=0.85, zorder=3)
            used[law] = None
        told.append(f"{series}: " + ", ".join(f"{law} {e:+.0%}" for law, e in known.items()))
    axes.axvline(1, color=COLOURS["ideal"], lw=1)
    axes.set(xscale="log", xlabel="predicted time / measured time at the largest N")
    axes.xaxis.set_major_locator(ticker.FixedLocator([0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7]))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_yticks(range(len(errors)), list(errors))
    axes.set_ylim(len(errors) - 0.5, -0.5)
    handles = [
        Line2D([], [], ls="", marker=GUESSES[law][1], color=GUESSES[law][0], label=law)
        for law in GUESSES
        if law in used
    ]
    axes.figure.legend(
        handles=handles, frameon=False, ncols=2, loc="outside lower center", fontsize=9
    )
    return "Error of each law's guess at the held-out largest N. " + "; ".join(told) + "."


def losses(axes: Axes, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Draw the factor by which each series falls short of perfect scaling, part after part.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    bars : mapping of str to mapping of str to float
        For each series the efficiency, 0 to 1, of "machine" and "optimiser"; the factors lost
        multiply, so on the logarithmic axis the bars add up.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for row, (series, parts) in enumerate(bars.items()):
        start = 1.0
        for side, efficiency in parts.items():
            end = start / min(efficiency, 1.0)
            colour, hatch = SIDES[side]
            axes.barh(
                row,
                end - start,
                left=start,
                height=0.6,
                color=colour,
                hatch=hatch,
                edgecolor="white",
            )
            start = end
        told.append(f"{series}: " + ", ".join(f"{k} {1 / v:.2f}" for k, v in parts.items()))
    axes.set(xscale="log", xlabel="factor lost against perfect scaling (log scale)")
    axes.xaxis.set_major_locator(ticker.FixedLocator([1, 1.5, 2, 3, 4, 6]))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    handles = [
        Patch(facecolor=c, hatch=h, edgecolor="white", label=s) for s, (c, h) in SIDES.items()
    ]
    axes.figure.legend(handles=handles, frameon=False, ncols=2, loc="outside lower center")
    return "Factor lost against perfect scaling by side. " + "; ".join(told) + "."


def ridge(
    axes: Axes,
    contention: Sequence[float],
    coherency: Sequence[float],
    surface: np.ndarray,
    *,
    level: float,
    marked: Mapping[str, tuple[float, float]],
) -> str:
    """Draw which pairs of contention and coherency a few points allow.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    contention, coherency : sequence of float, shapes (P,) and (Q,)
        The grid.
    surface : ndarray, shape (P, Q)
        As of `time_to_train.usl_ridge`.
    level : float
        Values of the surface below it are allowed.
    marked : mapping of str to pair of float
        Pairs to mark, by label.

    Returns
    -------
    str
        The alternative text.
    """
    axes.contourf(
        contention, coherency, surface.T, levels=[0, level], colors=[CURVES[3]], alpha=0.4
    )
    axes.contour(contention, coherency, surface.T, levels=[level], colors=[CURVES[0]])
    for (label, (x, y)), (colour, marker) in zip(
        marked.items(), ((CURVES[0], "o"), (CURVES[2], "D")), strict=False
    ):
        axes.plot(x, y, marker, color=colour, ms=9, label=label, zorder=3)
    axes.set(xlabel="contention σ", ylabel="coherency κ")
    axes.ticklabel_format(style="sci", scilimits=(-3, 3))
    axes.legend(frameon=False)
    inside = surface < level
    low, high = (np.asarray(contention)[inside.any(axis=1)][[0, -1]]).tolist()
    steep = np.asarray(coherency)[inside.any(axis=0)][-1]
    return (
        f"Pairs of contention and coherency that the points allow: a long narrow band from a "
        f"contention of {high:.2g} with none of the coherency to one of {low:.2g} with a coherency "
        f"of {steep:.2g}."
    )


def collapse(axes: Axes, series: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    """Draw the efficiency of steps over the batch per worker, both in each series' own units.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    series : mapping of str to pair of sequences
        For each series the batch per worker over its half-efficiency batch, and the efficiency.

    Returns
    -------
    str
        The alternative text.
    """
    reach = [value for x, _ in series.values() for value in x]
    x = np.geomspace(min(reach) / 2, 2 * max(reach), 100)
    axes.plot(x, x / (1 + x), color=COLOURS["model"], label="law: z / (1 + z)")
    markers = "os^DvP*X<"
    off = 0.0
    for number, (name, (at, efficiency)) in enumerate(series.items()):
        axes.plot(
            at,
            efficiency,
            markers[number % len(markers)],
            label=name,
            ms=6,
            color=CURVES[1 + number % (len(CURVES) - 1)],
            alpha=0.9,
        )
        law = np.asarray(at) / (1 + np.asarray(at))
        off = max(off, float(np.abs(np.asarray(efficiency) / law - 1).max()))
    axes.set(
        xscale="log",
        ylim=(0, 1.12),
        xlabel="batch per accelerator / half-efficiency batch",
        ylabel="efficiency of a step",
    )
    axes.legend(frameon=False, ncols=2, fontsize=9, loc="lower right")
    points = sum(len(at) for at, _ in series.values())
    return (
        f"{points} points of {len(series)} series lie along one rising curve, z over 1 + z; the "
        f"farthest is {off:.0%} off it."
    )


def chosen_batches(
    axes: Axes, series: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> str:
    """Draw the batches that runs used over the best ones by a law, on equal logarithmic axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    series : mapping of str to pair of sequences
        For each series the best batches, and those used.

    Returns
    -------
    str
        The alternative text.
    """
    every = [value for pair in series.values() for values in pair for value in values]
    ends = np.array([min(every) / 1.5, max(every) * 1.5])
    axes.plot(ends, ends, color=COLOURS["ideal"], lw=1, label="used = best")
    ratios = []
    for number, (name, (best, used)) in enumerate(series.items()):
        colour = CURVES[number % len(CURVES)]
        axes.plot(best, used, "os^DvP*"[number % 7], color=colour, ms=8, alpha=0.9, label=name)
        ratios += (np.asarray(used) / np.asarray(best)).tolist()
    axes.set(xscale="log", yscale="log", xlabel="best batch by the two laws", ylabel="batch used")
    axes.set_aspect("equal")
    axes.legend(frameon=False)
    return (
        f"{len(ratios)} runs along the diagonal of used and best batch: used over best from "
        f"{min(ratios):.2f} to {max(ratios):.2f}, half of them between "
        f"{np.quantile(ratios, 0.25):.2f} and {np.quantile(ratios, 0.75):.2f}."
    )


def samples(
    axes: Axes,
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    curves: Mapping[str, tuple[float, float]],
) -> str:
    """Draw samples to the target over the batch, as multiples of the fewest, with fitted laws.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    points : mapping of str to pair of sequences
        For each benchmark the batches, and the samples.
    curves : mapping of str to pair of float
        For each benchmark its critical batch and fewest samples.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for (name, (batches, D)), colour, marker in zip(points.items(), CURVES, "os^Dv", strict=False):
        critical, fewest = curves[name]
        at = np.geomspace(min(batches), max(batches), 100)
        axes.plot(at, 1 + at / critical, color=colour)
        axes.plot(batches, np.asarray(D) / fewest, marker, color=colour, ms=6, label=name)
        told.append(f"{name} doubles at {critical:,.0f}")
    axes.axhline(2, color=COLOURS["ideal"], lw=0.8, ls=":")
    axes.set(xscale="log", xlabel="samples in a step, B", ylabel="samples to the target / fewest")
    axes.legend(frameon=False)
    return "Samples to the target grow with the batch. " + "; ".join(told) + "."


def ranges(
    axes: Axes, entries: Sequence[tuple[str, float, float, float]], *, logarithmic: bool = False
) -> str:
    """Draw predicted ranges and what came out, each over its outcome; missed ones are marked.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    entries : sequence of (str, float, float, float)
        For each prediction its question, low and high end, and outcome, which is not 0.
    logarithmic : bool
        Whether the axis is.

    Returns
    -------
    str
        The alternative text.
    """
    missed = []
    for row, (question, low, high, outcome) in enumerate(entries):
        held = low <= outcome <= high
        colour = COLOURS["measured"] if held else COLOURS["communication"]
        axes.plot(
            [low / outcome, high / outcome],
            [row, row],
            "-" if held else "--",
            lw=3,
            color=colour,
            solid_capstyle="butt",
        )
        if not held:
            missed.append(question)
    axes.axvline(1, color=COLOURS["model"], lw=1.5)
    axes.set_yticks(range(len(entries)), [question for question, *_ in entries])
    axes.set_ylim(len(entries) - 0.5, -0.5)
    axes.set_xlabel("predicted range / outcome")
    if logarithmic:
        axes.set_xscale("log")
    return f"{len(entries) - len(missed)} of {len(entries)} predicted ranges hold their outcome" + (
        f"; missed: {', '.join(missed)}." if missed else "."
    )
