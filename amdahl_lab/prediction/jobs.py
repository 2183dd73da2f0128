"""What can be predicted and run: one training step of a shaped model, arranged one way."""

from dataclasses import asdict, dataclass

FAMILIES = ("perceptron", "convolution", "transformer")
ARRANGEMENTS = ("serial", "data", "tensor")
TRANSPORTS = ("none", "gloo", "shared")


@dataclass(frozen=True, order=True)
class Job:
    """One configuration.

    Parameters
    ----------
    family : str
        "perceptron", "convolution" or "transformer".
    width, depth : int, at least 1
        Features or channels of a layer, and layers.
    batch : int, at least 1
        Samples of the global batch, over all workers.
    arrangement : str
        "serial" on one worker, "data" parallel, or "tensor" parallel.
    workers : int, at least 1
        Number of workers N.
    transport : str
        What carries the exchange, "gloo" (sockets) or "shared" memory; "none" on one worker.

    Raises
    ------
    ValueError
        If a value is out of range, or the family cannot be arranged so.
    """

    family: str
    width: int
    depth: int
    batch: int
    arrangement: str = "serial"
    workers: int = 1
    transport: str = "none"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("family", FAMILIES),
            ("arrangement", ARRANGEMENTS),
            ("transport", TRANSPORTS),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        for name in ("width", "depth", "batch", "workers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
        if (self.arrangement == "serial") != (self.workers == 1):
            raise ValueError(
                f"arrangement must be serial on one worker and only there, got "
                f"{self.arrangement!r} on {self.workers}"
            )
        if (self.transport == "none") != (self.workers == 1):
            raise ValueError(f"transport must be none on one worker only, got {self.transport!r}")
        if self.arrangement == "tensor" and self.transport == "shared":
            raise ValueError("transport must be gloo for tensor parallelism, got 'shared'")
        if self.arrangement == "tensor" and self.family == "convolution":
            raise ValueError("arrangement must be serial or data for convolution, got 'tensor'")

    def as_dict(self) -> dict[str, str | int]:
        """Return the fields by name."""
        return asdict(self)

    def __str__(self) -> str:
        where = (
            "" if self.workers == 1 else f", {self.arrangement} x {self.workers}, {self.transport}"
        )
        return f"{self.family} {self.width}x{self.depth}, batch {self.batch}{where}"
