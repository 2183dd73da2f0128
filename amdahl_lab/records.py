"""Observations: frozen, validated records of what was measured, on what machine.

A record keeps raw values, keeps warm-ups apart from them, and never changes. Times are seconds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Interval:
    """An estimate and the interval that belongs to it.

    Parameters
    ----------
    estimate, low, high : float
        The estimate and the ends of its interval, in one unit; low <= high.
    level : float, strictly between 0 and 1
        Share of intervals made this way that hold the true value.

    Raises
    ------
    ValueError
        If an end is NaN, the ends are in the wrong order, or the level is not inside 0 to 1.
    """

    estimate: float
    low: float
    high: float
    level: float = 0.95

    def __post_init__(self) -> None:
        for name in ("estimate", "low", "high", "level"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not self.low <= self.high:  # also refuses NaN
            raise ValueError(f"low must be at most high, got {self.low:g} and {self.high:g}")
        if math.isnan(self.estimate):
            raise ValueError("estimate must be a number, got nan")
        if not 0 < self.level < 1:
            raise ValueError(f"level must be inside 0 to 1, got {self.level:g}")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        return (
            f"{self.estimate:{spec}} "
            f"({self.level:.0%} interval {self.low:{spec}} to {self.high:{spec}})"
        )

    def __str__(self) -> str:
        return format(self)

    @property
    def width(self) -> float:
        """Distance between the ends, in the unit of the estimate."""
        return self.high - self.low


@dataclass(frozen=True)
class Machine:
    """The computer that a measurement was taken on.

    Parameters
    ----------
    name : str
        A short name to show, such as "laptop" or "two-core virtual machine".
    system, processor : str
        Operating system and processor, as the system tells them.
    cores_usable : float, above 0
        Cores that this process may use at once: affinity and quota, not what is in the box.
    cores_present : int, at least 1
        Cores in the box.
    memory_bytes : int
        Main memory, 0 where the system does not tell.
    versions : mapping of str to str
        Versions of Python and of the libraries that the numbers depend on.
    """

    name: str
    system: str
    processor: str
    cores_usable: float
    cores_present: int
    memory_bytes: int
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.cores_usable > 0 and math.isfinite(self.cores_usable)):
            raise ValueError(f"cores_usable must be finite and above 0, got {self.cores_usable!r}")
        if self.cores_present < 1:
            raise ValueError(f"cores_present must be at least 1, got {self.cores_present!r}")
        if self.memory_bytes < 0:
            raise ValueError(f"memory_bytes must be at least 0, got {self.memory_bytes!r}")
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))

    @property
    def hardware(self) -> tuple[str, str, float, int]:
        """What two runs must share before their times may enter one fit."""
        return (self.system, self.processor, float(self.cores_usable), self.memory_bytes)


@dataclass(frozen=True)
class Timing:
    """Times of one phase on one number of workers: one value for each round.

    Parameters
    ----------
    workers : int, at least 1
        Number of workers N.
    phase : str
        What was timed: "step" is the whole training step.
    seconds : tuple of float, each finite and above 0
        Seconds per step in each round, in the order of the rounds.
    warmups : tuple of float
        Seconds per step in the rounds that came first and do not count.
    threads : int, at least 1
        Threads that each worker may use.

    Raises
    ------
    ValueError
        If a number is out of range or there is no value at all.
    """

    workers: int
    phase: str
    seconds: tuple[float, ...]
    warmups: tuple[float, ...] = ()
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if isinstance(value, bool) or value != int(value) or value < 1:
                raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
            object.__setattr__(self, name, int(value))
        if not self.phase:
            raise ValueError("phase must be a name, got an empty one")
        for name in ("seconds", "warmups"):
            values = tuple(float(value) for value in getattr(self, name))
            for value in values:
                if not (value > 0 and math.isfinite(value)):
                    raise ValueError(f"{name} must be finite and above 0, got {value!r}")
            object.__setattr__(self, name, values)
        if not self.seconds:
            raise ValueError("seconds must hold at least one round, got none")


@dataclass(frozen=True)
class ScalingRun:
    """One experiment measured at several numbers of workers on one machine.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    machine : Machine
        The computer that ran it.
    timings : tuple of Timing
        One for each pair of workers and phase, all with the same number of rounds, because the
        round is what was repeated.
    parameters : mapping of str to a str, int, float or bool
        What the experiment was told: batch, steps, seed and so on.
    started : str
        Start, ISO 8601, UTC.
    load_before, load_after : float
        Load average of the machine over the last minute, before and after.
    rounds_planned : int
        Rounds asked for; more than there are where the run was interrupted.

    Raises
    ------
    ValueError
        If there is no timing, a pair occurs twice, or the numbers of rounds differ.
    """

    experiment: str
    machine: Machine
    timings: tuple[Timing, ...]
    parameters: Mapping[str, Scalar]
    started: str
    load_before: float
    load_after: float
    rounds_planned: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "timings", tuple(self.timings))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        if not self.timings:
            raise ValueError("timings must hold at least one Timing, got none")
        pairs = [(timing.workers, timing.phase) for timing in self.timings]
        for pair in pairs:
            if pairs.count(pair) > 1:
                raise ValueError(f"timings must differ in workers or phase, got {pair} twice")
        rounds = sorted({len(timing.seconds) for timing in self.timings})
        if len(rounds) > 1:
            raise ValueError(f"timings must have the same number of rounds, got {rounds}")

    @property
    def rounds(self) -> int:
        """Number R of rounds that were completed."""
        return len(self.timings[0].seconds)

    @property
    def workers(self) -> tuple[int, ...]:
        """Numbers of workers at which the whole step was timed, rising."""
        return tuple(sorted(timing.workers for timing in self.timings if timing.phase == "step"))

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases, in the order in which they first occur."""
        return tuple(dict.fromkeys(timing.phase for timing in self.timings))

    def timing(self, workers: int, phase: str = "step") -> Timing:
        """Return the Timing of one number of workers and one phase.

        Raises
        ------
        ValueError
            If it was not measured.
        """
        for timing in self.timings:
            if timing.workers == workers and timing.phase == phase:
                return timing
        measured = ", ".join(f"{timing.workers} {timing.phase!r}" for timing in self.timings)
        raise ValueError(f"workers {workers}, phase {phase!r}: not measured; there is {measured}")

    def seconds(self, workers: int, phase: str = "step") -> np.ndarray:
        """Return the seconds per step of each round, shape (R,)."""
        return np.array(self.timing(workers, phase).seconds)

    def oversubscribed(self, workers: int) -> bool:
        """Tell whether the workers' threads outnumber the cores that could run them."""
        threads = max(timing.threads for timing in self.timings if timing.workers == workers)
        return workers * threads > self.machine.cores_usable
