"""A loss of efficiency, split: workers that wait, and samples that a larger batch wastes."""

from dataclasses import dataclass

import numpy as np

from amdahl_lab.records import Interval
from amdahl_lab.time_to_train.series import Series

DRAWS = 20_000


@dataclass(frozen=True)
class Split:
    """What became of the workers added since the smallest number.

    All three are against perfect scaling from there. ``efficiency = machine x optimiser``.

    Parameters
    ----------
    workers, over : int
        Numbers of workers N, and N_0 that it is compared with.
    speedup : Interval
        Time on N_0 workers over time on N.
    efficiency : Interval
        Speedup over N / N_0.
    machine : Interval
        Throughput gained over N / N_0.
    optimiser : Interval
        Samples to the target on N_0 workers over those on N.
    machine_share : Interval
        Share of the loss, on a logarithmic scale, that is the machine's; NaN is not allowed, so a
        series without a loss has 0.
    """

    workers: int
    over: int
    speedup: Interval
    efficiency: Interval
    machine: Interval
    optimiser: Interval
    machine_share: Interval


def split_of_loss(series: Series, *, rng: np.random.Generator, level: float = 0.95) -> list[Split]:
    """Split the loss at each number of workers above the smallest.

    T = D / X, samples over throughput, so that a speedup is the product of a ratio of rates and a
    ratio of samples, and logarithms of the losses add up.

    Parameters
    ----------
    series : Series
        With times and rates.
    rng : numpy.random.Generator
        Source of the draws behind the intervals.
    level : float, inside 0 to 1
        Confidence level.

    Returns
    -------
    list of Split
        For each N above the smallest. Runs tell how far times stray, and not which factor of the
        time strayed: each factor's interval is as wide as if all of it were its own, which is
        the widest it can be. Without spreads the intervals have no width.

    Raises
    ------
    ValueError
        If the series has not both times and rates.

    Examples
    --------
    >>> doubled = Series("toy", "toy", (1, 2), seconds=(100.0, 80.0), rates=(10.0, 15.0))
    >>> split = split_of_loss(doubled, rng=np.random.default_rng(0))[0]
    >>> [split.efficiency.estimate, split.machine.estimate, round(split.optimiser.estimate, 4)]
    [0.625, 0.75, 0.8333]
    """
    if not (series.seconds and series.rates):
        raise ValueError(
            f"series {series.name!r} must have both times and rates, for the loss to be split"
        )
    drawn = series.log_time_draws(DRAWS, rng)
    tail = (1 - level) / 2
    found = []
    for k in range(1, len(series.workers)):
        more = series.workers[k] / series.workers[0]
        speedup = series.seconds[0] / series.seconds[k]
        machine = series.rates[k] / series.rates[0] / more
        stray = (
            np.zeros(2)
            if drawn is None
            else np.quantile(drawn[:, 0] - drawn[:, k], [tail, 1 - tail])
        )
        efficiency = speedup / more
        values = (speedup, efficiency, machine, efficiency / machine)
        ends = [Interval(each, *(each * np.exp(stray)), level) for each in values]
        share = _share(np.log(machine), np.log(efficiency), stray, level)
        found.append(Split(series.workers[k], series.workers[0], *ends, share))
    return found


def _share(machine: float, whole: float, stray: np.ndarray, level: float) -> Interval:
    """Share of the loss that is the machine's, if all that strays is the one's or the other's."""
    if whole >= 0:
        return Interval(0.0, 0.0, 0.0, level)
    total = np.minimum(whole + stray, -1e-12)
    ends = np.concatenate([(machine + stray) / total, machine / total, [machine / whole]])
    low, high = np.clip([ends.min(), ends.max()], -1.0, 2.0)
    share = float(np.clip(machine / whole, -1.0, 2.0))
    return Interval(share, min(low, share), max(high, share), level)
