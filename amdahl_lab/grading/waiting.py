"""Checks a report of how long a training waited for its input, from its own raw times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, trouble, verdict
from amdahl_lab.grading.measuring import dictionary, not_measured
from amdahl_lab.statistics import mean_time_interval


@dataclass(frozen=True)
class WaitingReportCheck:
    """Works out a report on waiting again from its own raw times, and whether the run took place.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the dictionary in the notebook.
    measured_in : str
        Id of the cell in which it was measured.
    ways : pair of str
        The two ways of loading.
    least_rounds : int
        Fewest rounds.
    least_bytes_per_run : float
        What one run must have moved between the ranks.
    ranks : int
        Ranks whose seconds are added up.
    """

    item: Item
    subject: str
    measured_in: str
    ways: tuple[str, str]
    least_rounds: int
    least_bytes_per_run: float
    ranks: int = 2

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for the report and recompute it."""
        answer = marking.session.ask("value", {"name": self.subject}, seconds=10.0)
        hint = trouble([answer], self.subject) or self._hint(answer.get("value"), marking)
        return [verdict(self.item, hint)]

    def _hint(self, value: Any, marking: Marking) -> str | None:
        report = {key: dictionary(one) for key, one in dictionary(value).items()}
        waiting, seconds = (self._times(report.get(key, {})) for key in ("waiting", "seconds"))
        if waiting is None or seconds is None or waiting.shape != seconds.shape:
            return (
                "report['waiting'] and report['seconds'] must hold the raw times of both ways, as "
                "many for each"
            )
        if waiting.shape[1] < self.least_rounds:
            return f"at least {self.least_rounds} rounds are asked for"
        if np.any(waiting > seconds):
            return "nobody waits longer than the run took: are waiting and seconds exchanged?"
        needed = seconds.size * self.least_bytes_per_run
        hint = not_measured(
            np.concatenate([waiting.ravel(), seconds.ravel()]),
            seconds.sum() / self.ranks,
            marking.runs.get(self.measured_in),
            needed,
        )
        return hint or self._share(report.get("share", {}), waiting, seconds)

    def _times(self, found: Mapping[str, Any]) -> np.ndarray | None:
        rows = [wire.numbers(found.get(way)) for way in self.ways]
        if any(row is None or row.ndim != 1 or row.shape != rows[0].shape for row in rows):
            return None
        return np.stack(rows)

    def _share(
        self, stated: Mapping[str, Any], waiting: np.ndarray, seconds: np.ndarray
    ) -> str | None:
        for way, wait, whole in zip(self.ways, waiting, seconds, strict=True):
            got, right = wire.numbers(stated.get(way)), mean_time_interval(wait / whole)
            ends = np.array([right.estimate, right.low, right.high])
            if got is None or got.shape != (3,):
                return "report['share'] must hold for each way three numbers: estimate, low, high"
            if np.allclose(got, 1 - ends[[0, 2, 1]], rtol=1e-4) or np.allclose(got, 1 - ends):
                return "this is the share of the work; the share of waiting is asked for"
            plain = mean_time_interval(wait)
            if np.allclose(got, [plain.estimate, plain.low, plain.high], rtol=1e-4):
                return "these are seconds; divide the waiting of each round by its seconds"
            if np.isclose(got[0], wait.sum() / whole.sum(), rtol=1e-6):
                return (
                    "one ratio of sums has no interval: take the share of each round, and the "
                    "interval of these shares"
                )
            if not np.allclose(got, ends, rtol=1e-4, atol=1e-9):
                return "the stated share is not what these times give"
        return None
