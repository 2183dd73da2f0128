"""Three simpler predictors, each given the same calibration runs.

All know the FLOPs of a job and take the time on one worker as a power of them, with a factor for
each family. They differ in what N workers gain: constant efficiency, Amdahl's law, or the
Universal Scalability Law, for each arrangement, and for each family where that predicts the
calibration runs better that are left out in turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from amdahl_lab import laws
from amdahl_lab.prediction.jobs import Job
from amdahl_lab.prediction.model import ObservedJob
from amdahl_lab.prediction.operations import step_of

Group = Callable[[Job], tuple[str, ...]]
GROUPINGS: tuple[Group, ...] = (
    lambda job: (job.arrangement, job.transport),
    lambda job: (job.family, job.arrangement, job.transport),
)


@dataclass(frozen=True)
class Rival:
    """A fitted law.

    Parameters
    ----------
    law : str
        Its name.
    scale : dict
        Logarithm of the factor of each family.
    power : float
        Power of the FLOPs.
    gains : dict
        For each group of jobs on several workers the logarithm of time over time on one worker.
    group : callable
        Which group a job belongs to.
    left_out : ndarray, shape (runs,)
        Errors in logarithms of the runs, each predicted from the others.
    """

    law: str
    scale: dict
    power: float
    gains: dict
    group: Group
    left_out: np.ndarray

    def predict(self, jobs: Sequence[Job]) -> tuple[np.ndarray, np.ndarray]:
        """Return step times and half widths of the 95% interval of their logarithm."""
        seconds = np.exp([self._log(job) for job in jobs])
        spread = np.sqrt(np.mean(self.left_out**2))
        half = stdtrit(len(self.left_out), 0.975) * spread
        return seconds, np.full(len(jobs), half)

    def _log(self, job: Job) -> float:
        usual = np.mean(list(self.scale.values()))
        alone = self.scale.get(job.family, usual) + self.power * np.log(flops(job))
        if job.workers == 1:
            return alone
        mean = np.mean(list(self.gains.values())) if self.gains else -np.log(job.workers)
        return alone + self.gains.get(self.group(job), mean)


def flops(job: Job) -> float:
    """Return the FLOPs of the whole step, however it is arranged."""
    whole = step_of(replace(job, arrangement="serial", workers=1, transport="none"))
    return sum(
        units["product_flops"] + units["convolution_flops"] for units in whole.phases.values()
    )


def fit_rivals(observed: Sequence[ObservedJob]) -> dict[str, Rival]:
    """Fit the three laws to calibration runs.

    Parameters
    ----------
    observed : sequence of ObservedJob
        The runs; of their times only those of the step are used.

    Returns
    -------
    dict of str to Rival
        "constant efficiency", "Amdahl" and "USL".
    """
    return {law: _best(law, observed) for law in LAWS}


def _best(law: str, observed: Sequence[ObservedJob]) -> Rival:
    fits = []
    for group in GROUPINGS:
        left_out = []
        for place, one in enumerate(observed):
            rest = _fit(law, [*observed[:place], *observed[place + 1 :]], group)
            left_out.append(np.log(one.seconds["step"]) - rest._log(one.job))
        fits.append(replace(_fit(law, observed, group), left_out=np.array(left_out)))
    return min(fits, key=lambda rival: np.mean(rival.left_out**2))


def _fit(law: str, observed: Sequence[ObservedJob], group: Group) -> Rival:
    """Fit scales, power and gains together by least squares of the logarithms."""
    families = sorted({one.job.family for one in observed})
    groups = sorted({group(one.job) for one in observed if one.job.workers > 1})
    rows, logs = [], []
    for one in observed:
        mine = None if one.job.workers == 1 else group(one.job)
        rows.append(
            [
                *[one.job.family == family for family in families],
                np.log(flops(one.job)),
                *[mine == each for each in groups],
            ]
        )
        logs.append(np.log(one.seconds["step"]))
    found = np.linalg.lstsq(np.array(rows, dtype=float), np.array(logs), rcond=None)[0]
    scale = dict(zip(families, found, strict=False))
    power, free = found[len(families)], found[len(families) + 1 :]
    workers = {group(one.job): one.job.workers for one in observed}
    gains = {
        each: -np.log(LAWS[law](workers[each], np.exp(-gain)))
        for each, gain in zip(groups, free, strict=True)
    }
    return Rival(law, scale, power, gains, group, np.zeros(len(observed)))


def _amdahl(N: int, speedup: float) -> float:
    serial = np.clip((N / speedup - 1) / (N - 1), 0, 1)
    return float(laws.amdahl_speedup(N, serial))


def _usl(N: int, speedup: float) -> float:
    missing = max((N / speedup - 1) / (N - 1), 0)
    contention = min(missing, 1.0)
    return float(laws.usl_speedup(N, contention, (missing - contention) / N))


LAWS: dict[str, Callable[[int, float], float]] = {
    "constant efficiency": lambda N, speedup: min(speedup, N),  # an efficiency is at most 1
    "Amdahl": _amdahl,
    "USL": _usl,
}
