"""Scaling studies before they are run: what a fit would find, given how far times stray."""

from collections.abc import Sequence

import numpy as np

from amdahl_lab import arguments
from amdahl_lab.records import Machine, ScalingRun, Timing

_NOWHERE = Machine("simulated", "none", "none", 1024, 1024, 0)


def planned_study(
    serial_fraction: float,
    workers: Sequence[int],
    rounds: int,
    spread: float,
    rng: np.random.Generator,
) -> ScalingRun:
    """Draw a strong scaling study of a program that obeys Amdahl's law.

    Parameters
    ----------
    serial_fraction : float, between 0 and 1
        The true s.
    workers : sequence of int
        Numbers of workers N.
    rounds : int, at least 2
        Rounds R.
    spread : float, at least 0
        Standard deviation of the logarithm of one time.
    rng : numpy.random.Generator
        Source of the deviations.

    Returns
    -------
    ScalingRun
        Times in units of one worker's, on a machine that is named "simulated".

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    s = float(arguments.fraction("serial_fraction", serial_fraction))
    sigma = float(arguments.not_negative("spread", spread))
    if rounds < 2:
        raise ValueError(f"rounds must be at least 2, got {rounds!r}")
    timings = [
        Timing(N, "step", tuple((s + (1 - s) / N) * np.exp(sigma * rng.standard_normal(rounds))))
        for N in workers
    ]
    told = {"serial_fraction": s, "spread": sigma}
    return ScalingRun("planned", _NOWHERE, timings, told, "", 0.0, 0.0, rounds)
