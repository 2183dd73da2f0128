"""What one data-parallel step waits for, and what would help: the explorer of chapter 3."""

from typing import Any

import traitlets

from amdahl_lab.communication import all_reduce_seconds
from amdahl_lab.demand import roofline_seconds
from amdahl_lab.explorers.base import Explorer
from amdahl_lab.schedule import expected_maximum

FLOPS = 6  # of each parameter for each sample: 2 forward, 4 backward
TOUCHED = 20  # bytes of memory traffic for each parameter in a step, whatever the batch
GRADIENT = 4  # bytes for each parameter that the workers add up
BACKWARD = 2 / 3  # share of the work behind which an exchange can hide


class StepExplorer(Explorer):
    """One step as work, waiting and communication, over the number of workers.

    Parameters
    ----------
    machine : {"cluster", "office", "laptop"}
        The button that is shown as chosen; the numbers below are what counts.
    workers : int, 1 to 1024
        Number of workers N.
    batch : float
        Samples (or tokens) for each worker.
    parameters : float
        Millions of parameters.
    peak : float
        TFLOP/s of a worker.
    memory : float
        GB/s between a worker and its memory.
    latency : float
        Microseconds of one message.
    bandwidth : float
        GB/s of one link.
    jitter : float
        Standard deviation of a worker's time, as a share of it.
    straggler : float
        How much longer one of the workers takes, as a share.
    overlap : bool
        Send gradients during the backward pass.

    Raises
    ------
    traitlets.TraitError
        If a value is out of range.
    """

    name = "step"
    machine = traitlets.Enum(["cluster", "office", "laptop"], "cluster").tag(
        sync=True, explorer=True
    )
    workers = traitlets.Int(64, min=1, max=1024).tag(sync=True, explorer=True)
    batch = traitlets.Float(1000, min=1, max=1e6).tag(sync=True, explorer=True)
    parameters = traitlets.Float(100, min=0.1, max=10_000).tag(sync=True, explorer=True)
    peak = traitlets.Float(400, min=0.1, max=1000).tag(sync=True, explorer=True)
    memory = traitlets.Float(2000, min=10, max=10_000).tag(sync=True, explorer=True)
    latency = traitlets.Float(10, min=1, max=1000).tag(sync=True, explorer=True)
    bandwidth = traitlets.Float(50, min=0.1, max=1000).tag(sync=True, explorer=True)
    jitter = traitlets.Float(0, min=0, max=0.5).tag(sync=True, explorer=True)
    straggler = traitlets.Float(0, min=0, max=0.5).tag(sync=True, explorer=True)
    overlap = traitlets.Bool(False).tag(sync=True, explorer=True)

    def parts(self, workers: int) -> dict[str, float]:
        """Return the seconds of a step on so many workers: work, waiting, communication.

        Work is the roofline's maximum. Waiting is the larger of what jitter and straggler cost
        alone: a lower bound where both are there.
        """
        P = self.parameters * 1e6
        work = roofline_seconds(
            FLOPS * P * self.batch, TOUCHED * P, self.peak * 1e12, self.memory * 1e9
        )
        waiting = work * max(self.straggler, self.jitter * expected_maximum(workers))
        exchange = all_reduce_seconds(
            GRADIENT * P, workers, self.latency * 1e-6, 1 / (self.bandwidth * 1e9)
        )
        hidden = min(exchange, BACKWARD * work) if self.overlap else 0.0
        return {
            "work": work,
            "waiting": waiting if workers > 1 else 0.0,
            "communication": exchange - hidden,
        }

    def seconds(self, workers: int) -> float:
        """Return the time of a step."""
        return sum(self.parts(workers).values())

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        parts, total = self.parts(self.workers), self.seconds(self.workers)
        shares = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in parts.items())
        gain = self.workers * self.seconds(1) / total
        return (
            f"A data-parallel step on {self.workers} workers takes {1e3 * total:.3g} ms: {shares}. "
            f"They get through {gain:.3g} times the samples of one worker."
        )

    def state(self) -> dict[str, Any]:
        """Return the values that the picture depends on, whole numbers without a point."""
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in super().state().items()
        }
