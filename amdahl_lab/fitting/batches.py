"""The critical batch size from steps that training took to a target, with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab.fitting.fit import NotIdentifiedError
from amdahl_lab.records import Interval
from amdahl_lab.statistics import draws_interval, round_draws

FEWEST_BATCHES = 3
ITERATIONS = 60
RIDGE = 1e-9  # keeps a draw in which one term does not show from dividing by zero


@dataclass(frozen=True)
class BatchFit:
    """The law of `laws.steps_to_target` fitted to measured steps.

    Parameters
    ----------
    fewest_steps, critical_batch, fewest_samples : Interval
        S_min, B_crit and E_min = S_min B_crit.
    draws : ndarray, shape (D, 2)
        Plausible S_min and E_min, together.
    misfit : float
        Largest distance of a batch's typical steps from the law, as a share of them.
    """

    fewest_steps: Interval
    critical_batch: Interval
    fewest_samples: Interval
    draws: np.ndarray
    misfit: float

    def band(self, batch: ArrayLike) -> np.ndarray:
        """Return the ends of the interval of the law's steps at each batch, shape (2, K)."""
        steps = self.draws[:, :1] + self.draws[:, 1:] / np.atleast_1d(batch)
        return np.quantile(steps, [0.025, 0.975], axis=0)


def fit_critical_batch(
    steps: Mapping[int, ArrayLike],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
) -> BatchFit:
    """Fit steps to a target over the batch: S = S_min + E_min / B, in logarithms.

    Parameters
    ----------
    steps : mapping of int to array_like, shape (R,)
        For each batch the steps that each of R seeds took, the same seeds in the same order.
    rng : numpy.random.Generator
        Source of the draws behind the intervals.
    draws : int
        Number D of draws.

    Returns
    -------
    BatchFit
        Estimates from the mean logarithms; intervals by refitting to plausible means, with the
        seed as the unit that varies.

    Raises
    ------
    ValueError
        If the seeds differ in number, are fewer than two, or a number of steps is not above 0.
    NotIdentifiedError
        If there are fewer than three batches: two points fix both parameters and test nothing.

    References
    ----------
    McCandlish, Kaplan and Amodei 2018, arXiv:1812.06162 (see `laws.steps_to_target`).
    """
    if len(steps) < FEWEST_BATCHES:
        raise NotIdentifiedError(
            f"steps must be of at least {FEWEST_BATCHES} batches, got {len(steps)}: two points "
            "fix both parameters of the law and test nothing"
        )
    B = np.array(sorted(steps), dtype=float)
    columns = [np.asarray(steps[int(batch)], dtype=float) for batch in B]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        raise ValueError("steps must have the same number of seeds at every batch")
    if not all(np.isfinite(column).all() and (column > 0).all() for column in columns):
        raise ValueError("steps must be finite and above 0 for every seed")
    logs = np.log(np.stack(columns, axis=1))
    centre = logs.mean(axis=0)
    found = np.exp(_fitted(centre[None], B)[0])
    drawn = np.exp(_fitted(round_draws(logs, draws, rng), B))
    law = found[0] + found[1] / B
    return BatchFit(
        draws_interval(found[0], drawn[:, 0]),
        draws_interval(found[1] / found[0], drawn[:, 1] / drawn[:, 0]),
        draws_interval(found[1], drawn[:, 1]),
        drawn,
        float(np.abs(np.exp(centre) / law - 1).max()),
    )


def _fitted(centres: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Bring the law closest to mean log steps, shape (D, K); return log S_min and log E_min.

    Gauss and Newton's method for all D at once: the law's logarithm is a mixture of its two terms,
    and the share of the first is its derivative. Short steps keep it from running away.
    """
    p = np.stack([centres[:, -1] - np.log(2), centres[:, 0] + np.log(B[0]) - np.log(2)], axis=1)
    for _ in range(ITERATIONS):
        first, second = p[:, :1], p[:, 1:] - np.log(B)
        law = np.logaddexp(first, second)
        share = np.exp(first - law)
        slopes = np.stack([share, 1 - share], axis=2)
        off = centres - law
        square = slopes.transpose(0, 2, 1) @ slopes + RIDGE * np.eye(2)
        step = np.linalg.solve(square, (slopes.transpose(0, 2, 1) @ off[..., None]))[..., 0]
        p = p + np.clip(step, -0.5, 0.5)
    return p
