"""The pipeline explorer: a timeline and what it keeps in memory, under a chosen schedule."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets

from amdahl_lab.explorers.base import Explorer
from amdahl_lab.explorers.static import html_table

# The explorer stands on the same floor as the figures, so it may use the event engine.
from amdahl_lab.schedule import Timeline, gpipe, interleaved, one_forward_one_backward

_NAMES = {
    "gpipe": "GPipe",
    "one_forward_one_backward": "1F1B",
    "interleaved": "Interleaved 1F1B",
}


class PipelineExplorer(Explorer):
    """The timeline of a pipeline, one row for each stage, beside the activations that it keeps.

    The unit of time is the step of one worker whose stages are even.

    Parameters
    ----------
    schedule : {"gpipe", "one_forward_one_backward", "interleaved"}
        Order of the passes.
    stages : int, 1 to 8
        Workers N, each with one stage.
    micro_batches : int, 1 to 32
        Micro-batches M; the interleaved order takes the nearest multiple of the stages.
    chunks : int, 2 to 4
        Parts of the model on each worker in the interleaved order.
    ratio : float, 0.5 to 3
        Time of a backward pass over that of a forward pass.
    slow : float, 0 to 1
        By how much the stage in the middle is slower than the others.
    send : float, 0 to 1
        Time of a message between two workers over a forward pass of a whole stage.
    points : list of dict
        Measured speedups: ``schedule``, ``stages``, ``micro_batches``, ``speedup``, ``low`` and
        ``high``.
    provenance : str
        Where the points come from.

    Raises
    ------
    ValueError
        If a point is not a finite positive speedup inside its interval.
    traitlets.TraitError
        If another value is out of range.
    """

    name = "pipeline"
    schedule = traitlets.Enum(list(_NAMES), "one_forward_one_backward").tag(
        sync=True, explorer=True
    )
    stages = traitlets.Int(4, min=1, max=8).tag(sync=True, explorer=True)
    micro_batches = traitlets.Int(8, min=1, max=32).tag(sync=True, explorer=True)
    chunks = traitlets.Int(2, min=2, max=4).tag(sync=True, explorer=True)
    ratio = traitlets.Float(2.0, min=0.5, max=3).tag(sync=True, explorer=True)
    slow = traitlets.Float(0.0, min=0, max=1).tag(sync=True, explorer=True)
    send = traitlets.Float(0.0, min=0, max=1).tag(sync=True, explorer=True)
    points = traitlets.List(traitlets.Dict()).tag(sync=True, explorer=True)
    provenance = traitlets.Unicode().tag(sync=True, explorer=True)

    @traitlets.validate("points")
    def _checked_points(self, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
        for point in proposal["value"]:
            low, speedup, high = (float(point[key]) for key in ("low", "speedup", "high"))
            if not (point["schedule"] in _NAMES and 0 < low <= speedup <= high < np.inf):
                raise ValueError(
                    "points must have a schedule and 0 < low <= speedup <= high, finite, "
                    f"got {dict(point)}"
                )
        return proposal["value"]

    def timeline(self) -> Timeline:
        """Return the timeline that is shown, in steps of one worker."""
        N, M, v = self.stages, self.micro_batches, 1
        if self.schedule == "interleaved":
            M, v = max(1, int(np.floor(M / N + 0.5))) * N, self.chunks
        if v > 1 and N > 1:
            order = interleaved(N, M, v)
        else:
            order = (gpipe if self.schedule == "gpipe" else one_forward_one_backward)(N, M)
            v = 1
        unit = 1 / ((1 + self.ratio) * N * v * M)
        stages = np.where(np.arange(N) == N // 2, 1 + self.slow, 1.0) * unit
        forward = np.tile(stages, v)
        return order.timeline(forward, self.ratio * forward, self.send * v * unit)

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        shown = self.timeline()
        pipe = shown.pipeline
        live = pipe.peak_live()[0] / pipe.chunks
        return (
            f"Timeline of a pipeline under {_NAMES[self.schedule]} with {pipe.stages} stages and "
            f"{pipe.micro_batches} micro-batches: {1 / shown.seconds:.3g} times as fast as one "
            f"worker; workers wait {shown.bubble_share:.0%} of the time, and the first stage keeps "
            f"the activations of up to {live:.3g} micro-batches."
        )

    def table(self) -> str:
        """Return the measured speedups as an HTML table."""
        rows = [
            [
                f"{_NAMES[p['schedule']]}, N = {p['stages']}, M = {p['micro_batches']}",
                f"{p['speedup']:.3g}",
                f"{p['low']:.3g} to {p['high']:.3g}",
            ]
            for p in self.points
        ]
        return html_table(["pipeline", "measured speedup", "95% interval"], rows)
