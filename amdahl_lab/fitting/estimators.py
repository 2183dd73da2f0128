"""The five fits: estimate and interval of each law's parameters, or the reason why there is none.

How estimate and interval are made is in `refitting`.
"""

from collections.abc import Sequence

import numpy as np

from amdahl_lab.fitting import rivals
from amdahl_lab.fitting.fit import Fit, NotIdentifiedError
from amdahl_lab.fitting.observed import Observed, Runs, kept, observe, phases_of
from amdahl_lab.fitting.refitting import fitted

DRAWS = 4000


def fit_amdahl(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit Amdahl's serial fraction: T(N) = T(1) (s + (1 - s) / N), a fixed amount of work.

    Parameters
    ----------
    runs : ScalingRun, Table, or several runs of the same experiment on the same machine
        The measured times; the phase "step" is used.
    rng : numpy.random.Generator
        Source of the draws behind the interval.
    level : float, inside 0 to 1
        Confidence level.
    draws : int
        Number of draws.
    workers : sequence of int, optional
        Numbers of workers to use; all that were measured where it is not given. Leave out those
        with more workers than cores: for them the law's equal workers do not exist.

    Returns
    -------
    Fit
        With the parameter "serial_fraction", its ends kept within 0 to 1.

    Raises
    ------
    ValueError
        If there are runs of two machines or two experiments.
    NotIdentifiedError
        If there is one number of workers only, a single round, or work that grew with N. A
        table of single values needs three N: its interval is made from their scatter about the
        law, and takes the law's own misfit for noise.

    References
    ----------
    The interval: `statistics.round_draws`; ``tests/benchmarks/bench_coverage.py`` counts how
    often it holds the truth.
    """
    observed = observe(runs, workers)
    _needs_fixed_work(observed)
    return fitted(rivals.AMDAHL, observed, rng, level, draws)


def fit_amdahl_with_communication(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit Amdahl's law to what is left of the step when its measured communication is taken out.

    The step is T(1) (s + (1 - s) / N + c (N - 1)). The serial fraction s comes from the phase
    "compute", the step without synchronisation; c from what the step takes beyond it. A line in
    N - 1 through all N is the simplest cost that grows with each worker; where communication has
    a form that you know, `amdahl_lab.communication` extrapolates better.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`, with the phase "compute" at every N beside "step".

    Returns
    -------
    Fit
        With the parameters "serial_fraction" and "communication_per_worker", the share c of the
        one-worker time that each worker beyond the first adds.

    Raises
    ------
    ValueError
        If there are runs of two machines or two experiments.
    NotIdentifiedError
        If "compute" was not measured at every N, or `fit_amdahl` would refuse.

    References
    ----------
    The form is that of Gunther, "A General Theory of Computational Scalability Based on Rational
    Functions", 2008, arXiv:0808.1431; there the last term is read off the curve.
    """
    runs = kept(runs)
    there = phases_of(runs, workers)
    missing = sorted(there.get("step", set()) - there.get("compute", set()))
    if missing:
        raise NotIdentifiedError(
            "phases must hold 'compute', the step without synchronisation, at every N, got none "
            f"at N = {', '.join(map(str, missing))}: without it communication can't be told from "
            "serial work"
        )
    observed = observe(runs, workers, rivals.WITH_COMMUNICATION.phases)
    _needs_fixed_work(observed)
    if observed.source == "single":
        raise NotIdentifiedError(
            "a table must have at least 2 values at each N and phase, got one: the share of "
            "communication would have no interval"
        )
    return fitted(rivals.WITH_COMMUNICATION, observed, rng, level, draws)


def fit_usl(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit the Universal Scalability Law: T(N) = T(1) (1 + sigma (N - 1) + kappa N (N - 1)) / N.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`. Where the work grew, times are taken per unit of work, as the law is
        one of throughput.

    Returns
    -------
    Fit
        With the parameters "contention" and "coherency", each kept within 0 to 1.

    Raises
    ------
    ValueError
        If there are runs of two machines or two experiments.
    NotIdentifiedError
        If there are three numbers of workers or fewer, or a single round.

    References
    ----------
    Gunther, "A General Theory of Computational Scalability Based on Rational Functions", 2008,
    arXiv:0808.1431.
    """
    return fitted(rivals.USL, observe(runs, workers), rng, level, draws)


def fit_gustafson(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit Gustafson's scaled serial fraction to a weak-scaling run: fixed work for each worker.

    N workers do N times the work of one, so the scaled speedup is the rate over the rate of one
    worker, S = N T(1) / T(N), and the law S = N - (N - 1) s' makes the time grow from T(1) to
    T(1) / (1 - s'). So read, s' is the share of each further worker that brings no further work.
    Serial work that stays the same while the rest grows leaves T(N) = T(1): it costs no rate and
    does not show in these times. Time it as a phase of its own to know it.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`, of a run whose work grew with N: a run with the parameter
        "batch_per_worker", or a table with a column of work.

    Returns
    -------
    Fit
        With the parameter "scaled_serial_fraction", 0 to 1.

    Raises
    ------
    ValueError
        If there are runs of two machines or two experiments.
    NotIdentifiedError
        If the work did not grow in proportion to N, or nothing says that it did; if there is one
        number of workers only, or a single round.

    References
    ----------
    Gustafson, "Reevaluating Amdahl's Law", CACM 31(5), 1988, the scaled speedup.
    """
    observed = observe(runs, workers)
    if observed.growth != "grows":
        got = {
            "fixed": "the same work at every N",
            "other": "work that changed otherwise",
            "unknown": "no column that says so",
        }[observed.growth]
        raise NotIdentifiedError(
            f"work must grow in proportion to N, got {got}: Gustafson's law is about a fixed "
            "amount of work for each worker"
        )
    return fitted(rivals.GUSTAFSON, observed, rng, level, draws)


def fit_constant_efficiency(
    runs: Runs,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    draws: int = DRAWS,
    workers: Sequence[int] | None = None,
) -> Fit:
    """Fit one efficiency to all N: S = E N above the smallest N, the rule of thumb to beat.

    Parameters
    ----------
    runs, rng, level, draws, workers
        As for `fit_amdahl`. Where one worker was not measured, efficiency and speedups count from
        the smallest N, the fit's `reference`.

    Returns
    -------
    Fit
        With the parameter "efficiency", above 0; above 1 where workers together do better than
        alone.

    Raises
    ------
    ValueError
        If there are runs of two machines or two experiments.
    NotIdentifiedError
        If there is one number of workers only, or a single round.
    """
    return fitted(rivals.CONSTANT_EFFICIENCY, observe(runs, workers), rng, level, draws)


FITS = {
    rivals.AMDAHL.name: fit_amdahl,
    rivals.WITH_COMMUNICATION.name: fit_amdahl_with_communication,
    rivals.USL.name: fit_usl,
    rivals.GUSTAFSON.name: fit_gustafson,
    rivals.CONSTANT_EFFICIENCY.name: fit_constant_efficiency,
}


def _needs_fixed_work(observed: Observed) -> None:
    if observed.growth in ("grows", "other"):
        got = "work that grew with N" if observed.growth == "grows" else "work that changed"
        raise NotIdentifiedError(
            f"work must be the same at every N, got {got}: Amdahl's law is about a fixed amount"
        )
