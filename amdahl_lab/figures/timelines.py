"""Timelines of pipelines, and who holds what: the figures of parallel strategies."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from amdahl_lab.figures.style import COLOURS, CURVES
from amdahl_lab.schedule import Timeline

KINDS = {
    "parameters": CURVES[0],
    "gradients": CURVES[3],
    "optimizer state": CURVES[1],
    "activations": CURVES[2],
}


class Pass(NamedTuple):
    """One pass to draw: its stage, its micro-batch, its start and end in the unit of the axis."""

    stage: int
    micro_batch: int
    is_backward: bool
    start: float
    end: float


def passes_of(timeline: Timeline, scale: float = 1.0) -> list[Pass]:
    """Return the passes of a timeline for `passes`, their times multiplied by `scale`."""
    pipeline = timeline.pipeline
    columns = (
        pipeline.stage,
        pipeline.micro_batch,
        pipeline.is_backward,
        timeline.starts * scale,
        timeline.ends * scale,
    )
    return [Pass(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def passes(
    axes: Axes,
    groups: Mapping[str, Sequence[Pass]],
    *,
    unit: str,
    predicted: Sequence[str] = (),
    numbers: bool = True,
) -> str:
    """Draw timelines one below the other on one axis of time, a row for each stage.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    groups : mapping of str to sequence of Pass
        For each label the passes of one timeline.
    unit : str
        Unit of the times, for the axis.
    predicted : sequence of str
        Labels whose passes are drawn as dashed outlines: predictions.
    numbers : bool
        Write the number of its micro-batch, from 1, on each pass that is wide enough.

    Returns
    -------
    str
        The alternative text.
    """
    ticks, told, row = {}, [], 0
    last = max(each.end for found in groups.values() for each in found)
    for label, found in groups.items():
        stages = 1 + max(each.stage for each in found)
        end = max(each.end for each in found)
        dashed = label in predicted
        for stage in range(stages):
            axes.barh(row + stage, end, height=0.8, color=COLOURS["waiting"], alpha=0.25, lw=0)
            ticks[row + stage] = f"worker {stage}"
        for each in found:
            bar = axes.barh(
                row + each.stage,
                each.end - each.start,
                left=each.start,
                height=0.8,
                facecolor=COLOURS["compute"],
                edgecolor=COLOURS["model"] if dashed else "white",
                linestyle="--" if dashed else "-",
                lw=1.0,
                alpha=(0.35 if each.is_backward else 0.75) if dashed else 1.0,
            )
            if each.is_backward and not dashed:
                bar.patches[0].set(facecolor="#7FB8D8", hatch="////", lw=0.6)
            if numbers and each.end - each.start > 0.022 * last:
                axes.text(
                    (each.start + each.end) / 2,
                    row + each.stage,
                    str(each.micro_batch + 1),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=COLOURS["measured"] if each.is_backward else "white",
                )
        axes.text(0, row - 0.55, label, fontsize=10, va="bottom", fontweight="bold")
        busy = sum(each.end - each.start for each in found) / (stages * end)
        told.append(f"{label}: {stages} rows, the last pass ends at {end:.4g} {unit}, ")
        told[-1] += f"passes fill {busy:.0%} of the rows"
        row += stages + 1
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylim(row - 1.4, -1.3)
    axes.set_xlim(0, last * 1.01)
    axes.set_xlabel(f"time ({unit})")
    axes.grid(axis="y", visible=False)
    return (
        "Timelines of pipelines; forward passes dark, backward passes light, waiting grey. "
        + "; ".join(told)
        + "."
    )


def held(axes: Axes, bars: Mapping[str, Mapping[str, float]], *, unit: str) -> str:
    """Draw what one worker holds, as stacked bars side by side.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    bars : mapping of str to mapping of str to float
        For each label the size of each kind; the kinds are those of `KINDS`.
    unit : str
        Unit of the sizes, for the axis.

    Returns
    -------
    str
        The alternative text.
    """
    told = []
    for place, (label, parts) in enumerate(bars.items()):
        left = 0.0
        for kind, size in parts.items():
            axes.barh(
                place,
                size,
                left=left,
                height=0.65,
                color=KINDS[kind],
                edgecolor="white",
                label=kind if place == 0 else None,
            )
            left += size
        axes.text(left, place, f" {left:.3g}", va="center", fontsize=9)
        told.append(f"{label} {left:.3g}")
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.set_xlabel(unit)
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return f"What one worker holds, in {unit}: " + "; ".join(told) + "."
