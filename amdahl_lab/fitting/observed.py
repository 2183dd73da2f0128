"""What a law is fitted to: log times by number of workers, and how far they can be trusted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amdahl_lab.fitting.fit import NotIdentifiedError
from amdahl_lab.records import Interval, ScalingRun
from amdahl_lab.statistics import (
    independent_ratio_interval,
    pivotal_draws,
    ratio_interval,
    round_draws,
)
from amdahl_lab.tables import Table

Runs = ScalingRun | Table | Iterable[ScalingRun]
BASIS = {
    "rounds": "{} rounds, paired",
    "repeats": "{} or more repeats at each N, not paired",
    "single": "the scatter of single values about the law, {} degrees of freedom",
}


@dataclass(frozen=True)
class Observed:
    """Times of one or more phases at K numbers of workers.

    Parameters
    ----------
    workers : ndarray, shape (K,)
        Numbers of workers N, rising.
    phases : tuple of P str
        Names of the phases.
    logs : tuple of P * K ndarray
        Logarithms of the seconds per unit of work: all N of the first phase, then of the next.
    source : str
        "rounds" where all columns are paired by round, "repeats" where each N has values of its
        own, "single" where there is one value for each N.
    growth : str
        What is known of the work: "grows" with N, "fixed", "other", or "unknown".
    """

    workers: np.ndarray
    phases: tuple[str, ...]
    logs: tuple[np.ndarray, ...]
    source: str
    growth: str

    @property
    def centre(self) -> np.ndarray:
        """Means of the logarithms, shape (P * K,)."""
        return np.array([values.mean() for values in self.logs])

    @property
    def counts(self) -> int:
        """Smallest number of values in a column."""
        return min(values.size for values in self.logs)

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw plausible means of the logarithms, shape (D, P * K)."""
        if self.source == "rounds":
            return round_draws(np.stack(self.logs, axis=1), count, rng)
        return np.log(
            np.stack([pivotal_draws(np.exp(values), count, rng) for values in self.logs], axis=1)
        )

    def spreads(self, reference: int) -> tuple[dict[int, float], dict[int, float]]:
        """Standard deviations of one round's log ratio to the reference, and of its log time."""
        steps = self.logs[: len(self.workers)]
        times = {int(N): v.std(ddof=1) for N, v in zip(self.workers, steps, strict=True)}
        first = times.get(reference)
        if first is None:
            return times, times
        if self.source == "rounds":
            base = steps[0]
            ratios = {
                int(N): (base - v).std(ddof=1)
                for N, v in zip(self.workers, steps, strict=True)
                if reference < N
            }
        else:
            ratios = {N: float(np.hypot(first, s)) for N, s in times.items() if reference < N}
        return ratios, times


def observe(
    runs: Runs, workers: Sequence[int] | None = None, phases: Sequence[str] = ("step",)
) -> Observed:
    """Gather the times that a law is fitted to.

    Parameters
    ----------
    runs : ScalingRun, Table, or several runs of one experiment on one machine
        The measurements.
    workers : sequence of int, optional
        Numbers of workers to use; all that were measured where it is not given.
    phases : sequence of str
        Phases to use.

    Returns
    -------
    Observed
        The times, checked.

    Raises
    ------
    ValueError
        If there is no run, or runs of two machines or two experiments.
    NotIdentifiedError
        If there is one number of workers only, or a single round.
    """
    if isinstance(runs, Table):
        return _of_table(runs, _chosen(runs.workers, workers), tuple(phases))
    runs = [runs] if isinstance(runs, ScalingRun) else list(runs)
    if not runs:
        raise ValueError("runs must hold at least one run, got none")
    for field, values in (
        ("machine", {run.machine.hardware for run in runs}),
        ("experiment", {run.experiment for run in runs}),
    ):
        if len(values) > 1:
            raise ValueError(f"runs must share one {field}, got {len(values)}: {sorted(values)}")
    chosen = _chosen(runs[0].workers, workers)
    rounds = sum(run.rounds for run in runs)
    if rounds < 2:
        raise NotIdentifiedError(
            f"a run must have at least 2 rounds, got {rounds}: one round does not show how far "
            "times stray, so no interval can be given"
        )
    scaled = {"batch_per_worker" in run.parameters for run in runs}
    growth = "grows" if scaled == {True} else "fixed" if scaled == {False} else "other"
    work = np.array(chosen) if growth == "grows" else np.ones(len(chosen))
    logs = tuple(
        np.log(np.concatenate([run.seconds(N, phase) for run in runs]) / share)
        for phase in phases
        for N, share in zip(chosen, work, strict=True)
    )
    return Observed(np.array(chosen, dtype=float), tuple(phases), logs, "rounds", growth)


def kept(runs: Runs) -> Runs:
    """Keep an iterator's runs, which more than one look goes through."""
    one = isinstance(runs, ScalingRun) or not isinstance(runs, Iterable)
    return runs if one else list(runs)


def phases_of(runs: Runs, workers: Sequence[int] | None = None) -> Mapping[str, set[int]]:
    """Return for each phase the chosen numbers of workers at which it was measured."""
    if isinstance(runs, Table):
        pairs = list(runs.times)
    else:
        runs = [runs] if isinstance(runs, ScalingRun) else list(runs)
        held = [{(timing.workers, timing.phase) for timing in run.timings} for run in runs]
        pairs = sorted(set.intersection(*held)) if held else []  # what every run holds
    there: dict[str, set[int]] = {}
    for N, phase in pairs:
        if workers is None or N in workers:
            there.setdefault(phase, set()).add(N)
    return there


def speedups(run: ScalingRun | Table, level: float = 0.95, *, over: int = 1) -> dict[int, Interval]:
    """Measured speedup over one worker at each larger number of workers.

    Parameters
    ----------
    run : ScalingRun or Table
        Measurements that hold the phase "step" on one worker.
    level : float, inside 0 to 1
        Confidence level.
    over : int
        Workers to compare with, where that is not one worker.

    Returns
    -------
    dict of int to Interval
        For each N the speedup: from ratios of the same round where there are rounds, else from
        the two sets of repeats.

    Raises
    ------
    ValueError
        If `over` was not measured, or an N was not measured at least twice.
    """
    paired = isinstance(run, ScalingRun) or run.paired
    interval = ratio_interval if paired else independent_ratio_interval
    base = run.seconds(over)
    return {N: interval(base, run.seconds(N), level) for N in run.workers if over < N}


def _chosen(measured: Sequence[int], workers: Sequence[int] | None) -> list[int]:
    chosen = sorted(set(measured if workers is None else workers))
    if len(chosen) < 2:
        raise NotIdentifiedError(
            f"workers must hold at least two numbers, got {chosen}: times at one number of "
            "workers fit every serial fraction"
        )
    return chosen


def _of_table(table: Table, chosen: list[int], phases: tuple[str, ...]) -> Observed:
    columns = [(N, phase) for phase in phases for N in chosen]
    missing = [pair for pair in columns if pair not in table.times]
    if missing:
        raise ValueError(f"workers {missing[0][0]}, phase {missing[0][1]!r}: not measured")
    counts = {len(table.times[pair]) for pair in columns}
    if counts == {1}:
        source = "single"
    elif min(counts) < 2:
        few = [N for N, phase in columns if len(table.times[N, phase]) < 2]
        raise NotIdentifiedError(
            f"every N must have at least 2 values, or every N one, got one at N = {few[0]} only: "
            "a single value does not show how far times stray"
        )
    else:
        source = "rounds" if table.paired else "repeats"
    growth, work = _growth(table, chosen)
    logs = tuple(
        np.log(np.array(table.times[N, phase]) / work[index % len(chosen)])
        for index, (N, phase) in enumerate(columns)
    )
    return Observed(np.array(chosen, dtype=float), phases, logs, source, growth)


def _growth(table: Table, chosen: list[int]) -> tuple[str, np.ndarray]:
    """What the work column says of the chosen N, and the work to divide the seconds by."""
    ones = np.ones(len(chosen))
    if not table.work:
        return "unknown", ones
    work = np.array([table.work[N] for N in chosen])
    shares = work / chosen
    if np.ptp(work) <= 0.01 * work.mean():
        return "fixed", ones
    # A rate is per unit of work already.
    units = ones if table.quantity == "throughput" else work / shares[0]
    return ("grows" if np.ptp(shares) <= 0.01 * shares.mean() else "other"), units
