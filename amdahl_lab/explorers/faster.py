"""Which is faster, on a noisy and drifting machine? The explorer of chapter 7."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import traitlets
from scipy.special import stdtrit

from amdahl_lab.explorers.base import Explorer

TRUTHS = (-0.05, -0.02, 0.0, 0.0, 0.02, 0.05)  # by how much B is slower than A
REPEATS = 200


def uniform(seed: int) -> Iterator[float]:
    """Yield the numbers between 0 and 1 of Tommy Ettinger's generator mulberry32."""
    state = seed & 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        twice = ((mixed ^ (mixed >> 7)) * (mixed | 61)) & 0xFFFFFFFF
        mixed ^= (mixed + twice) & 0xFFFFFFFF
        yield ((mixed ^ (mixed >> 14)) & 0xFFFFFFFF) / 2**32


def normal(seed: int) -> Iterator[float]:
    """Yield standard normal numbers, by Box and Muller."""
    numbers = uniform(seed)
    while True:
        u, v = next(numbers), next(numbers)
        yield math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v)


class FasterExplorer(Explorer):
    """Two clocks with a hidden difference; the reader chooses rounds and order.

    Parameters
    ----------
    rounds : int, 3 to 100
        Turns of A, and as many of B.
    order : {"interleaved", "blocks"}
        A and B in turn, the first of them changing, or all of A before all of B.
    noise : float, 0.005 to 0.1
        Standard deviation of the logarithm of one time.
    drift : float, 0 to 0.2
        How much slower the machine is at the end than at the start, as a share.
    seed : int, at least 1
        Which machine: it decides the hidden difference and the noise.
    revealed : bool
        Show the truth.

    Raises
    ------
    traitlets.TraitError
        If a value is out of range.
    """

    name = "faster"
    rounds = traitlets.Int(10, min=3, max=100).tag(sync=True, explorer=True)
    order = traitlets.Enum(["interleaved", "blocks"], "blocks").tag(sync=True, explorer=True)
    noise = traitlets.Float(0.03, min=0.005, max=0.1).tag(sync=True, explorer=True)
    drift = traitlets.Float(0.05, min=0, max=0.2).tag(sync=True, explorer=True)
    seed = traitlets.Int(1, min=1, max=100_000).tag(sync=True, explorer=True)
    revealed = traitlets.Bool(False).tag(sync=True, explorer=True)

    @property
    def truth(self) -> float:
        """How much slower B is, as a difference of logarithms."""
        return TRUTHS[int(next(uniform(self.seed)) * len(TRUTHS))]

    def times(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the logarithms of the times of A and of B, shape (rounds,) each."""
        R, draws = self.rounds, normal(seed)
        found: tuple[list[float], list[float]] = ([], [])
        for turn in range(2 * R):
            in_turn = (turn + turn // 2) % 2  # A B, B A, A B, ...
            side = int(turn >= R) if self.order == "blocks" else in_turn
            drifted = math.log1p(self.drift) * turn / (2 * R - 1)
            found[side].append(side * self.truth + drifted + self.noise * next(draws))
        return np.array(found[0]), np.array(found[1])

    def interval(self, seed: int) -> tuple[float, float, float]:
        """Return B's time over A's less 1, by logarithms: estimate, low and high at 95%."""
        a, b = self.times(seed)
        R, centre = self.rounds, float(np.mean(b) - np.mean(a))
        if self.order == "blocks":
            spread, freedom = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / R), 2 * R - 2
        else:
            spread, freedom = (b - a).std(ddof=1) / math.sqrt(R), R - 1
        half = float(stdtrit(freedom, 0.975)) * spread
        return centre, centre - half, centre + half

    def wrong_share(self) -> float:
        """Return the share of `REPEATS` repeated experiments whose interval misses the truth."""
        missed = 0
        for number in range(REPEATS):
            _, low, high = self.interval(self.seed + 1000 * (number + 1))
            missed += not low <= self.truth <= high
        return missed / REPEATS

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        centre, low, high = self.interval(self.seed)
        verdict = "B is faster" if high < 0 else "A is faster" if low > 0 else "no difference seen"
        return (
            f"{self.rounds} rounds, {self.order}: B's time against A's {100 * centre:+.1f}%, "
            f"95% interval {100 * low:+.1f}% to {100 * high:+.1f}%; {verdict}."
        )

    def state(self) -> dict[str, Any]:
        """Return the values that the picture depends on, whole numbers without a point."""
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in super().state().items()
        }
