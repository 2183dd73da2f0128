"""Made-up machines whose truth is known: drift, bursts, ticks, cold starts, skew.

A right harness measures well on them. Each of the usual short cuts is fooled by one of these.
"""

from dataclasses import dataclass

import numpy as np

ROUNDS, WARMUPS, SPARE = 100, 5, 20
COLD = (3.0, 2.2, 1.7, 1.4, 1.2)  # a program's first runs, in units of its later ones
TYPICAL = 0.02  # seconds
NOISE = 0.015  # of a single run, on the logarithm
DRIFT = 0.4  # from the first run to the last: a machine that gets warm, or is left by its guests
WANDER = 0.002  # from one run to the next
BURSTS, BURST = 3, np.log(1.25)  # somebody else's work, for some six to ten runs
TICK = 0.025  # hits every second run


@dataclass(frozen=True)
class Machine:
    """One machine: which truth it has, and the times of the runs on it.

    Parameters
    ----------
    ratio : float
        Typical time of the first program over that of the second.
    table : ndarray
        As `comparing.MadeUpMachine` takes it.
    """

    ratio: float
    table: np.ndarray


def machine(rng: np.random.Generator, ratio: float, lucky: float = 0.0) -> Machine:
    """Draw one; with `lucky`, so many of the first program's runs take a quarter less."""
    size = 2 * (ROUNDS + WARMUPS) + SPARE
    turn = np.arange(size)
    shared = DRIFT * rng.choice([-1, 1]) * turn / size + rng.normal(0, WANDER, size).cumsum()
    for start in rng.integers(0, size - 10, BURSTS):
        shared[start : start + int(rng.integers(6, 11))] += BURST
    shared += TICK * ((turn + rng.integers(2)) % 2)
    times = TYPICAL * np.exp(shared + rng.normal(0, NOISE, (2, size)))
    times[0] *= ratio * np.where(rng.random(size) < lucky, 0.75, 1.0)
    cold = np.zeros(size)
    slower = int(rng.integers(2))  # both start cold, one of them much more so
    for program in range(2):
        part = np.array(COLD) if program == slower else np.array(COLD) ** 0.2
        cold[program * WARMUPS : (program + 1) * WARMUPS] = part
    return Machine(ratio, np.vstack([times, cold]).round(7))
