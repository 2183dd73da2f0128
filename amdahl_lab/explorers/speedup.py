"""Which law, and what the next worker buys: the explorer of chapter 1."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import traitlets

from amdahl_lab import laws
from amdahl_lab.explorers.base import Explorer
from amdahl_lab.explorers.static import html_table
from amdahl_lab.records import ScalingRun
from amdahl_lab.statistics import ratio_interval

_LAWS = {
    "amdahl": "Amdahl's law",
    "gustafson": "Gustafson's law",
    "sun_ni": "Sun and Ni's law",
    "usl": "the Universal Scalability Law",
}
_REACHES = (8, 64, 1024)


def measured_points(run: ScalingRun) -> list[dict[str, Any]]:
    """Return the speedups of a run as the points that the explorer draws.

    Parameters
    ----------
    run : ScalingRun
        A run with the phase "step" at one worker and at others.

    Returns
    -------
    list of dict
        For each N above 1 ``workers``, ``speedup``, ``low`` and ``high`` (95% interval, the
        round being what was repeated, four significant digits), and ``oversubscribed``.

    Raises
    ------
    ValueError
        If the run has no step at one worker.
    """
    one = run.seconds(1)
    points = []
    for workers in run.workers:
        if workers == 1:
            continue
        interval = ratio_interval(one, run.seconds(workers))
        points.append(
            {
                "workers": workers,
                "speedup": _rounded(interval.estimate),
                "low": _rounded(interval.low),
                "high": _rounded(interval.high),
                "oversubscribed": run.oversubscribed(workers),
            }
        )
    return points


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


class SpeedupExplorer(Explorer):
    """Four laws of speedup against workers, beside measured points.

    Parameters
    ----------
    law : {"amdahl", "gustafson", "sun_ni", "usl"}
        The law that is drawn.
    workers : int, 1 to 1024
        Number of workers N that the readouts are for.
    serial_fraction : float, 0 to 1
        Amdahl's s, or Gustafson's s'.
    growth : float, 0 to 1.5
        Exponent a of Sun and Ni's G(N) = N^a.
    contention : float, 0 to 1
        Sigma of the Universal Scalability Law.
    coherency : float, 0 to 0.1
        Kappa of the Universal Scalability Law.
    reach : {8, 64, 1024}
        Number of workers up to which the chart goes.
    points : list of dict
        Measured speedups, as `measured_points` gives them.
    provenance : str
        Where the points come from: experiment and machine.

    Raises
    ------
    ValueError
        If a point is not a finite positive speedup inside its interval.
    traitlets.TraitError
        If another value is out of range.
    """

    name = "speedup"
    law = traitlets.Enum(list(_LAWS), "amdahl").tag(sync=True, explorer=True)
    workers = traitlets.Int(16, min=1, max=1024).tag(sync=True, explorer=True)
    serial_fraction = traitlets.Float(0.05, min=0, max=1).tag(sync=True, explorer=True)
    growth = traitlets.Float(0.5, min=0, max=1.5).tag(sync=True, explorer=True)
    contention = traitlets.Float(0.05, min=0, max=1).tag(sync=True, explorer=True)
    coherency = traitlets.Float(0.001, min=0, max=0.1).tag(sync=True, explorer=True)
    reach = traitlets.Enum(_REACHES, 1024).tag(sync=True, explorer=True)
    points = traitlets.List(traitlets.Dict()).tag(sync=True, explorer=True)
    provenance = traitlets.Unicode().tag(sync=True, explorer=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.workers > self.reach:
            raise ValueError(f"workers must be at most reach, {self.reach}, got {self.workers}")

    @classmethod
    def of_run(cls, run: ScalingRun, **values: Any) -> "SpeedupExplorer":
        """Return an explorer with the speedups of `run` as its measured points."""
        provenance = f"{run.experiment.replace('_', ' ')}, {run.machine.name}, {run.rounds} rounds"
        return cls(**{"points": measured_points(run), "provenance": provenance} | values)

    @traitlets.validate("points")
    def _checked_points(self, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [_checked_point(point) for point in proposal["value"]]

    def speedup(self, workers: float | Iterable[float]) -> np.ndarray | float:
        """Return the speedup of the law as it is set, at any numbers of workers."""
        N = np.asarray(workers, dtype=float)
        if self.law == "amdahl":
            return laws.amdahl_speedup(N, self.serial_fraction)
        if self.law == "gustafson":
            return laws.gustafson_speedup(N, self.serial_fraction)
        if self.law == "sun_ni":
            return laws.sun_ni_speedup(N, self.serial_fraction, N**self.growth)
        return laws.usl_speedup(N, self.contention, self.coherency)

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        settings = {
            "amdahl": f"serial fraction {self.serial_fraction:.3g}",
            "gustafson": f"serial fraction {self.serial_fraction:.3g} of the time on N workers",
            "sun_ni": f"serial fraction {self.serial_fraction:.3g}, growth exponent "
            f"{self.growth:.3g}",
            "usl": f"contention {self.contention:.3g}, coherency {self.coherency:.3g}",
        }[self.law]
        S = self.speedup(self.workers)
        efficiency = laws.efficiency(S, self.workers)
        further = self.speedup(2 * self.workers)
        text = (
            f"Speedup against the number of workers by {_LAWS[self.law]} ({settings}): "
            f"{S:.3g} on {self.workers} workers, an efficiency of {100 * efficiency:.3g}%, "
            f"and {further:.3g} on {2 * self.workers}."
        )
        if self.law == "amdahl" and self.serial_fraction > 0:
            text += (
                f" No number of workers gets past {laws.amdahl_limit(self.serial_fraction):.3g}."
            )
        if self.points:
            text += f" Measured speedups stand beside the law: {self.provenance}."
        return text

    def table(self) -> str:
        """Return the measured speedups as an HTML table."""
        rows = [
            [
                f"{point['workers']}" + (" (oversubscribed)" if point["oversubscribed"] else ""),
                f"{point['speedup']:.3g}",
                f"{point['low']:.3g} to {point['high']:.3g}",
            ]
            for point in self.points
        ]
        return html_table(["workers", "measured speedup", "95% interval"], rows)


def _checked_point(point: Mapping[str, Any]) -> dict[str, Any]:
    try:
        workers = int(point["workers"])
        low, speedup, high = (float(point[key]) for key in ("low", "speedup", "high"))
    except KeyError as missing:
        raise ValueError(f"points must each have {missing}, got {dict(point)}") from None
    if not (workers >= 1 and 0 < low <= speedup <= high < np.inf):
        raise ValueError(
            "points must have workers of at least 1 and 0 < low <= speedup <= high, finite, "
            f"got {dict(point)}"
        )
    oversubscribed = bool(point.get("oversubscribed", False))
    return {
        "workers": workers,
        "speedup": speedup,
        "low": low,
        "high": high,
        "oversubscribed": oversubscribed,
    }
