"""Machines: accelerators with a few rates, joined by several levels of network.

Not to be confused with `records.Machine`, the computer that a measurement was taken on.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Network:
    """One level of network, as one worker sees it.

    Parameters
    ----------
    name : str
        Such as "NVLink".
    workers : float, at least 1
        Workers that one domain of this level joins; infinity for the outermost.
    latency : float, at least 0
        Seconds alpha for each message.
    bandwidth : float, above 0
        Bytes per second that one worker can send, from the data sheet.
    efficiency : float, above 0 and at most 1
        Share of the bandwidth that collectives and sends reach. A machine parameter.
    """

    name: str
    workers: float
    latency: float
    bandwidth: float
    efficiency: float = 1.0

    def __post_init__(self) -> None:
        if not self.workers >= 1:
            raise ValueError(f"workers must be at least 1, got {self.workers!r}")
        if not (self.latency >= 0 and math.isfinite(self.latency)):
            raise ValueError(f"latency must be finite and at least 0, got {self.latency!r}")
        if not (self.bandwidth > 0 and math.isfinite(self.bandwidth)):
            raise ValueError(f"bandwidth must be finite and above 0, got {self.bandwidth!r}")
        _efficiency("efficiency", self.efficiency)

    @property
    def inverse_bandwidth(self) -> float:
        """Seconds beta for each byte at the bandwidth that is reached."""
        return 1 / (self.bandwidth * self.efficiency)


@dataclass(frozen=True)
class Machine:
    """A cluster of equal workers.

    Parameters
    ----------
    name : str
        A short name to show.
    peak_flops : float, above 0
        FLOPs per second of matrix products, from the data sheet.
    memory_bandwidth : float, above 0
        Bytes per second between one worker and its memory.
    memory : float, above 0
        Bytes of one worker's memory.
    networks : tuple of Network
        Levels, innermost first; the last must join any number of workers.
    matmul_efficiency, memory_efficiency : float, above 0 and at most 1
        Shares of the two rates that are reached. Machine parameters.
    multiprocessors : int, at least 0
        Units that share the tiles of one matrix product; 0 leaves the last, part-filled wave of
        tiles out of the model.
    tile : pair of int
        Rows and columns of the tile that one unit computes.
    jitter : float, at least 0
        Standard deviation of one worker's step time, relative to its mean.
    price : float, at least 0
        Cost of one worker for one second, in any currency.

    Raises
    ------
    ValueError
        If a number is out of range or no network joins all workers.
    """

    name: str
    peak_flops: float
    memory_bandwidth: float
    memory: float
    networks: tuple[Network, ...]
    matmul_efficiency: float = 1.0
    memory_efficiency: float = 1.0
    multiprocessors: int = 0
    tile: tuple[int, int] = (256, 128)
    jitter: float = 0.0
    price: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", tuple(self.networks))
        for name in ("peak_flops", "memory_bandwidth", "memory"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and above 0, got {value!r}")
        for name in ("matmul_efficiency", "memory_efficiency"):
            _efficiency(name, getattr(self, name))
        for name in ("multiprocessors", "jitter", "price"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)!r}")
        if not self.networks or self.networks[-1].workers != math.inf:
            raise ValueError("networks must end with a level that joins math.inf workers")
        reach = [network.workers for network in self.networks]
        if reach != sorted(reach):
            raise ValueError(f"networks must be ordered innermost first, got reaches {reach}")

    @property
    def flops(self) -> float:
        """FLOPs per second that matrix products reach."""
        return self.peak_flops * self.matmul_efficiency

    @property
    def moved(self) -> float:
        """Bytes per second that kernels bound by memory reach."""
        return self.memory_bandwidth * self.memory_efficiency

    def link(self, extent: ArrayLike) -> tuple[np.ndarray | float, np.ndarray | float]:
        """Latency and inverse bandwidth of the innermost level that spans `extent` workers."""
        extent = np.asarray(extent)
        outermost = self.networks[-1]
        latency, inverse = outermost.latency, outermost.inverse_bandwidth
        for network in reversed(self.networks[:-1]):
            inside = extent <= network.workers
            latency = np.where(inside, network.latency, latency)
            inverse = np.where(inside, network.inverse_bandwidth, inverse)
        return latency, inverse

    def padding(self, rows: ArrayLike, columns: ArrayLike) -> np.ndarray | float:
        """Time of a matrix product over the time without a part-filled last wave of tiles.

        The result of shape (rows, columns) is cut into tiles, either way round, and the tiles are
        handed out in waves of one for each multiprocessor. The better way round counts.
        """
        if self.multiprocessors == 0:
            return 1.0
        long, short = self.tile
        units = self.multiprocessors
        upright = np.ceil(rows / long) * np.ceil(columns / short)
        across = np.ceil(rows / short) * np.ceil(columns / long)
        waves = np.ceil(np.minimum(upright, across) / units)
        return waves * (units * long * short) / (rows * columns)

    def with_parameters(self, **parameters: float) -> "Machine":
        """Return a copy with other machine parameters.

        Parameters
        ----------
        **parameters : float
            `matmul_efficiency`, `memory_efficiency`, `jitter`, or the name of a network for its
            efficiency.

        Raises
        ------
        ValueError
            If there is no such parameter or a value is out of range.
        """
        own = {"matmul_efficiency", "memory_efficiency", "jitter"}
        names = [network.name for network in self.networks]
        for name in parameters:
            if name not in own and name not in names:
                raise ValueError(f"parameter must be one of {sorted(own) + names}, got {name!r}")
        networks = tuple(
            replace(network, efficiency=parameters.get(network.name, network.efficiency))
            for network in self.networks
        )
        changed = {name: value for name, value in parameters.items() if name in own}
        return replace(self, networks=networks, **changed)


def a100_cluster() -> Machine:
    """Return NVIDIA A100-80GB accelerators, eight to a node, one 200 Gb/s link each.

    Peaks are from the data sheet: 312 TFLOP/s bf16, 2039 GB/s, NVLink 300 GB/s each way, 108
    multiprocessors. The four efficiencies are fitted to the eight step times of
    arXiv:2205.05198, table 5; `calibration.calibrate` makes them again. The latencies are round
    figures; without them those eight times fall by less than 1%.
    """
    return Machine(
        name="A100-80GB, eight to a node",
        peak_flops=312e12,
        memory_bandwidth=2039e9,
        memory=80 * 2**30,
        networks=(
            Network("NVLink", 8, 3e-6, 300e9),
            Network("InfiniBand", math.inf, 5e-6, 25e9),
        ),
        multiprocessors=108,
    ).with_parameters(**A100_FITTED)


# What `calibrate` finds on the eight published step times; a test makes it again.
A100_FITTED = {
    "matmul_efficiency": 0.8479,
    "memory_efficiency": 1.0,
    "NVLink": 0.3122,
    "InfiniBand": 0.2303,
}


def _efficiency(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, got {value!r}")
