"""What the data sheets of two parts allow one to be against the other, and claims held to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab.demand import attainable_flops
from amdahl_lab.quantities import Quantity, orders_between


@dataclass(frozen=True)
class Part:
    """One chip as its data sheet has it.

    Parameters
    ----------
    name : str
        What it is called.
    kind : str
        "CPU", "GPU", "TPU" and so on.
    peaks : mapping of str to Quantity
        Operations per second by number format, such as "fp32" or "bf16".
    bandwidth : Quantity
        Bytes per second between the chip and its memory.
    power : Quantity, optional
        Watts.
    power_kind : str
        What the watts are: a limit such as TDP, or a measured mean.
    source : str
        Where the figures are from.
    """

    name: str
    kind: str
    peaks: Mapping[str, Quantity]
    bandwidth: Quantity
    power: Quantity | None = None
    power_kind: str = ""
    source: str = field(default="", repr=False)

    def peak(self, number: str) -> Quantity:
        """Return the peak for a number format.

        Raises
        ------
        ValueError
            If the data sheet has none.
        """
        if number not in self.peaks:
            raise ValueError(f"number must be of {', '.join(self.peaks)}, got {number!r}")
        return self.peaks[number]

    def ridge(self, number: str) -> Quantity:
        """Return the operations per byte at which memory and arithmetic take equally long."""
        return self.peak(number) / self.bandwidth

    def per_watt(self, number: str) -> Quantity:
        """Return peak operations for each joule.

        Raises
        ------
        ValueError
            If the power is not known.
        """
        if self.power is None:
            raise ValueError(f"{self.name} must have a power to divide by, got none")
        return self.peak(number) / self.power


def ratio_bounds(
    fast: Part, slow: Part, fast_number: str = "fp32", slow_number: str = "fp32"
) -> tuple[float, float]:
    """Return the least and the largest speedup that two rooflines allow.

    A kernel that reaches the same share of its roof on both parts is between the ratio of the
    bandwidths and the ratio of the peaks times as fast.

    Parameters
    ----------
    fast, slow : Part
        What is compared with what.
    fast_number, slow_number : str
        Number formats of the two.

    Returns
    -------
    tuple of float
        The smaller of the two ratios and the larger.

    Raises
    ------
    ValueError
        If a part has no such peak.
    """
    peaks = fast.peak(fast_number).value / slow.peak(slow_number).value
    bandwidths = (fast.bandwidth / slow.bandwidth).to("")
    return min(peaks, bandwidths), max(peaks, bandwidths)


def roofline_ratio(
    intensity: ArrayLike,
    fast: Part,
    slow: Part,
    fast_number: str = "fp32",
    slow_number: str = "fp32",
) -> np.ndarray | float:
    """Return the ratio of two rooflines over the operations done for each byte.

    Parameters
    ----------
    intensity : array_like, above 0
        Operations per byte, the same on both.
    fast, slow, fast_number, slow_number
        As for `ratio_bounds`.

    Returns
    -------
    ndarray or float
        How many times as fast the first part can be.
    """
    roofs = [
        attainable_flops(intensity, part.peak(number).value, part.bandwidth.value)
        for part, number in ((fast, fast_number), (slow, slow_number))
    ]
    return roofs[0] / roofs[1]


@dataclass(frozen=True)
class Checked:
    """A claimed value beside the least and the most that is possible.

    Parameters
    ----------
    claimed, low, high : Quantity
        All of one dimension; low at most high.
    """

    claimed: Quantity
    low: Quantity
    high: Quantity

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            end = getattr(self, name)
            if end.dimension != self.claimed.dimension:
                raise ValueError(
                    f"{name} must have the dimension of the claim, {dict(self.claimed.dimension)}, "
                    f"got {dict(end.dimension)}"
                )
        if self.low.value > self.high.value:
            raise ValueError(f"low must be at most high, got {self.low} and {self.high}")

    @property
    def verdict(self) -> str:
        """Where the claim lies: "below", "within" or "above"."""
        if self.claimed.value < self.low.value:
            return "below"
        return "above" if self.claimed.value > self.high.value else "within"

    @property
    def orders_off(self) -> float:
        """Powers of ten to the nearer end; 0 within, below 0 where the claim is too small."""
        if self.verdict == "within":
            return 0.0
        return orders_between(self.claimed, self.low if self.verdict == "below" else self.high)
