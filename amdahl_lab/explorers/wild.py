"""Choose a series, drag a law, uncover the largest run: the explorer of chapter 8."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import traitlets

from amdahl_lab.explorers.base import Explorer
from amdahl_lab.explorers.static import html_table
from amdahl_lab.recorded.published import MLPERF_NOTICE
from amdahl_lab.records import ScalingRun
from amdahl_lab.statistics import ratio_interval
from amdahl_lab.time_to_train import Series, split_of_loss

_LAWS = {
    "amdahl": "Amdahl's law",
    "usl": "the Universal Scalability Law",
    "step": "Amdahl's law of the step",
}


def published_case(series: Series) -> dict[str, Any]:
    """Return a series as the explorer draws it: speedups of the rate over the smallest N.

    Parameters
    ----------
    series : Series
        With at least three numbers of workers.

    Returns
    -------
    dict
        ``key``, ``title``, ``unit``, ``workers``, ``speedups``, ``batches`` (empty where they are
        not known), ``sides`` (efficiencies at the largest N, by side, where there are both times
        and rates), ``hollow`` and ``note``.
    """
    values = series.per_sample()
    sides = {}
    if series.seconds and series.rates:
        last = split_of_loss(series, rng=np.random.default_rng(0))[-1]
        sides = {"machine": last.machine.estimate, "optimiser": last.optimiser.estimate}
    return {
        "key": series.name,
        "title": series.title,
        "unit": "accelerators",
        "workers": list(series.workers),
        "speedups": [_rounded(values[0] / value) for value in values],
        "batches": list(series.batches),
        "sides": {side: _rounded(value) for side, value in sides.items()},
        "hollow": [],
        "note": MLPERF_NOTICE if series.mlperf else "Published by its authors; no MLPerf result.",
    }


def own_case(run: ScalingRun, title: str) -> dict[str, Any]:
    """Return a run of this book as a case of its own; as `published_case`."""
    one = run.seconds(1)
    speedups = [ratio_interval(one, run.seconds(N)).estimate for N in run.workers]
    over = [N for N in run.workers if run.oversubscribed(N)]
    hollow = f"; N = {', '.join(map(str, over))} oversubscribed, hollow" if over else ""
    return {
        "key": "own",
        "title": title,
        "unit": "workers",
        "workers": list(run.workers),
        "speedups": [_rounded(value) for value in speedups],
        "batches": [run.parameters["batch"]] * len(run.workers),
        "sides": {},
        "hollow": over,
        "note": f"Measured for this book on a {run.machine.name}, {run.rounds} rounds{hollow}.",
    }


class WildExplorer(Explorer):
    """A series of which the largest run is covered, and a law to guess it with.

    Parameters
    ----------
    cases : list of dict
        As `published_case` and `own_case` give them; one is drawn at a time.
    case : str
        Key of the case that is drawn.
    law : {"amdahl", "usl", "step"}
        The law that guesses.
    serial_fraction, contention, coherency : float, 0 to 1
        Amdahl's s; sigma and kappa of the Universal Scalability Law.
    half_batch : float, at least 0
        Samples for each worker with which half of a step is lost.
    uncovered : bool
        Whether the largest run is shown.

    Raises
    ------
    ValueError
        If there is no case of that key, or a case is none.
    """

    name = "wild"
    cases = traitlets.List(traitlets.Dict()).tag(sync=True, explorer=True)
    case = traitlets.Unicode().tag(sync=True, explorer=True)
    law = traitlets.Enum(list(_LAWS), "amdahl").tag(sync=True, explorer=True)
    serial_fraction = traitlets.Float(0.001, min=0, max=1).tag(sync=True, explorer=True)
    contention = traitlets.Float(0.001, min=0, max=1).tag(sync=True, explorer=True)
    coherency = traitlets.Float(0.0, min=0, max=1).tag(sync=True, explorer=True)
    half_batch = traitlets.Float(30.0, min=0).tag(sync=True, explorer=True)
    uncovered = traitlets.Bool(False).tag(sync=True, explorer=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"case": values["cases"][0]["key"]} | values)
        self._chosen()

    @classmethod
    def of_series(
        cls, series: Iterable[Series], own: Mapping[str, ScalingRun], **values: Any
    ) -> "WildExplorer":
        """Return an explorer of published series, and of this book's runs by title."""
        cases = [published_case(each) for each in series]
        cases += [own_case(run, title) for title, run in own.items()]
        return cls(cases=cases, **values)

    @traitlets.validate("cases")
    def _checked(self, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
        for case in proposal["value"]:
            counts = {len(case[name]) for name in ("workers", "speedups")}
            if counts != {len(case["workers"])} or len(case["workers"]) < 3:
                raise ValueError(f"cases must have at least 3 points, got {case['key']}")
        return proposal["value"]

    def _chosen(self) -> dict[str, Any]:
        for case in self.cases:
            if case["key"] == self.case:
                return case
        keys = ", ".join(case["key"] for case in self.cases)
        raise ValueError(f"case must be one of {keys}, got {self.case!r}")

    def guess(self) -> float:
        """Return the speedup that the law as it is set gives the largest N."""
        case = self._chosen()
        N = np.array(case["workers"], dtype=float)
        if self.law == "step":
            h = 1 / N + self.half_batch / np.array(case["batches"] or N * np.inf)
        elif self.law == "usl":
            h = 1 / N + self.contention * (1 - 1 / N) + self.coherency * (N - 1)
        else:
            h = 1 / N + self.serial_fraction * (1 - 1 / N)
        # The time on one worker is the best one for the points that are shown.
        constant = (np.log(case["speedups"][:-1]) + np.log(h[:-1])).mean()
        return float(np.exp(constant) / h[-1])

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        case = self._chosen()
        last, first = case["workers"][-1], case["workers"][0]
        text = (
            f"{case['title']}: {len(case['workers'])} numbers of {case['unit']} from {first} to "
            f"{last}. {_LAWS[self.law].capitalize()} as it is set guesses a speedup over {first} "
            f"of {self.guess():.3g} on {last}."
        )
        if self.uncovered:
            text += f" The run gave {case['speedups'][-1]:.3g}."
        return f"{text} {case['note']}"

    def table(self) -> str:
        """Return the points of the case as an HTML table."""
        case = self._chosen()
        rows = [
            [f"{N}" + (" (oversubscribed)" if N in case["hollow"] else ""), f"{S:.3g}"]
            for N, S in zip(case["workers"], case["speedups"], strict=True)
        ]
        return html_table([case["unit"], f"speedup over {case['workers'][0]}"], rows)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
