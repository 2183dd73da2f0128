"""Whose turn it is on this computer: many ordinary jobs together, or one that measures alone.

The locks belong to open files, so a process that dies gives its turn back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: notebooks are marked one after the other there
    fcntl = None


@dataclass(frozen=True)
class Turns:
    """Turns among all processes that name the same folder.

    Parameters
    ----------
    folder : Path
        Where the locks lie, on a disk of this computer.
    """

    folder: Path

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work beside others that do the same, and never beside one that measures."""
        with self._turn(exclusive=False):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody works, and work alone."""
        with self._turn(exclusive=True):
            yield

    @contextmanager
    def _turn(self, exclusive: bool) -> Iterator[None]:
        if fcntl is None:
            yield
            return
        with (self.folder / "room").open("a") as room:
            # Whoever waits stands in the door, so that nobody waits for ever while others come.
            with (self.folder / "door").open("a") as door:
                fcntl.flock(door, fcntl.LOCK_EX)
                fcntl.flock(room, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
