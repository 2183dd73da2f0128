"""What a rank did when: the phases of real steps, to lay beside the predicted ones."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch.distributed as dist

MOST_PHASES = 100_000  # the oldest are forgotten, so that a long training does not fill memory


@dataclass(frozen=True)
class Phase:
    """One stretch of a rank's time.

    Parameters
    ----------
    name : str
        What was done: "forward", "backward", "update", or the kind of a collective or message.
    start, end : float
        Seconds by this rank's clock since the barrier that all ranks left together.
    micro_batch : int, optional
        The micro-batch that it was done for.
    """

    name: str
    start: float
    end: float
    micro_batch: int | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


class MeasuredTimeline:
    """Records phases from `restart` on; phases may lie inside one another.

    Ranks leave a barrier within tens of microseconds of each other on one machine: that is how
    far apart their zeros may be.
    """

    def __init__(self) -> None:
        self._phases: deque[Phase] = deque(maxlen=MOST_PHASES)
        self._zero = time.perf_counter()

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases so far, in the order in which they ended."""
        return tuple(self._phases)

    def restart(self) -> None:
        """Forget all phases and count from now; every rank must call it, for they wait together."""
        self._phases.clear()
        dist.barrier()
        self._zero = time.perf_counter()

    @contextmanager
    def phase(self, name: str, micro_batch: int | None = None) -> Iterator[None]:
        """Record the with block as one phase."""
        start = time.perf_counter()
        yield
        end = time.perf_counter()
        self._phases.append(Phase(name, start - self._zero, end - self._zero, micro_batch))
