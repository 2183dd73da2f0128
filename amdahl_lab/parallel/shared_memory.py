"""A transport for ranks of one machine: memory that all of them see, and pipes to wait by.

Each rank writes its numbers straight into its own slot of the shared memory. To add them up, each
rank sums one part over all slots and puts the sum into all of them. Between the two a rank may
only go on when all have arrived, so before and after it sends every other rank one byte through a
pipe and waits for one byte from each.

Waiting in a pipe costs no processor time, so it works with more ranks than cores, and it ends
when the rank at the other end does. It also orders memory: what a rank wrote before it sent its
byte is seen by whoever has received the byte, because both go through the lock of the same pipe,
on processors that reorder stores (Arm) as on those that do not (x86).

The memory and the pipes have names only while the ranks meet. From then on the system takes them
away when the last rank ends, however it ends.
"""

import contextlib
import mmap
import os
import shutil
import socket
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from amdahl_lab.parallel import _rank


class SharedMemory:
    """All-reduce through memory that the ranks of one machine share.

    All ranks build it together and allocate in the same order.

    Attributes
    ----------
    rank, workers : int
        This rank and the number N of all ranks.
    close : callable
        Closes the pipes, as the end of the rank does, or of the last use of this object.

    Raises
    ------
    ValueError
        If the ranks are on more than one machine, or the system has no named pipes (Windows).
    """

    def __init__(self) -> None:
        self.rank, self.workers = dist.get_rank(), dist.get_world_size()
        self._slots: dict[int, list[Tensor]] = {}  # of all ranks, by the address of this rank's
        _check_system()
        with _meeting_place() as folder:
            self._ears, self._bells = _pipes(folder)
        descriptors = [*self._ears.values(), *self._bells.values()]
        self.close = weakref.finalize(self, _close, descriptors)

    def zeros(self, elements: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return a flat tensor of zeros that `all_reduce` can add up.

        Parameters
        ----------
        elements : int, at least 1
            The same on every rank.
        dtype : torch.dtype
            The same on every rank.
        """
        size = elements * dtype.itemsize
        slot = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE  # no two ranks write to one page
        with _meeting_place() as folder:
            memory = _map_together(folder, slot * self.workers)
        slots = [
            torch.frombuffer(memory, dtype=dtype, count=elements, offset=rank * slot)
            for rank in range(self.workers)
        ]
        mine = slots[self.rank]
        self._slots[mine.data_ptr()] = slots
        return mine.zero_()

    def all_reduce(self, tensor: Tensor) -> None:
        """Replace `tensor` on every rank by the sum over all ranks, bit for bit the same on each.

        Parameters
        ----------
        tensor : Tensor
            As `zeros` gave it; all ranks must name the same one.

        Raises
        ------
        ValueError
            If `zeros` did not give it.
        RuntimeError
            If another rank has ended.
        """
        slots = self._slots.get(tensor.data_ptr(), [])
        if not slots or slots[self.rank].shape != tensor.shape:
            raise ValueError(
                "tensor must be one that zeros() of this transport gave, "
                f"got another one of shape {tuple(tensor.shape)}"
            )
        total, *others = (slot.tensor_split(self.workers)[self.rank] for slot in slots)
        self.barrier()  # every slot is filled
        for other in others:
            total += other
        for other in others:
            other.copy_(total)
        self.barrier()  # every part is summed

    def barrier(self) -> None:
        """Wait until all ranks have come here; RuntimeError if one of them has ended."""
        for other, bell in self._bells.items():
            try:
                os.write(bell, b"!")
            except BrokenPipeError:
                raise _ended(other) from None
        for other, ear in self._ears.items():
            if not os.read(ear, 1):
                raise _ended(other)


def _ended(rank: int) -> RuntimeError:
    return RuntimeError(f"shared memory: pipe closed by peer, rank {rank} has ended or let go")


def _check_system() -> None:
    if not hasattr(os, "mkfifo"):
        raise ValueError(
            f"transport must be 'gloo' on {sys.platform}, got 'shared': it needs named pipes"
        )
    hosts = sorted(set(_all_say(socket.gethostname())))
    if len(hosts) > 1:
        raise ValueError(
            "transport must be 'gloo' for ranks on several machines, "
            f"got 'shared' on {', '.join(hosts)}"
        )


@contextlib.contextmanager
def _meeting_place() -> Any:
    """Give all ranks one new folder, which is gone when the last of them leaves the with block."""
    made = tempfile.mkdtemp(dir=_rank.folder()) if dist.get_rank() == 0 else None
    folder = _all_say(made)[0]
    try:
        yield Path(folder)
        dist.barrier()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pipes(folder: Path) -> tuple[dict[int, int], dict[int, int]]:
    """Open two pipes to each other rank: descriptors to read from it, and to write to it."""
    rank, others = (
        dist.get_rank(),
        [r for r in range(dist.get_world_size()) if r != dist.get_rank()],
    )
    ears, bells = {}, {}
    for other in others:
        path = folder / f"{other}-{rank}"
        os.mkfifo(path)
        ears[other] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # does not wait for a writer
    dist.barrier()
    for other in others:
        bells[other] = os.open(folder / f"{rank}-{other}", os.O_WRONLY)
    dist.barrier()  # from now on an end of file means that the writer has ended
    for ear in ears.values():
        os.set_blocking(ear, True)
    return ears, bells


def _map_together(folder: Path, size: int) -> mmap.mmap:
    """Map the same memory into all ranks."""
    path, own = str(folder / "memory"), None
    if dist.get_rank() == 0:
        if hasattr(os, "memfd_create"):  # Linux: memory that never was a file on a disk
            own = os.memfd_create("amdahl_lab")
            path = f"/proc/{os.getpid()}/fd/{own}"
        else:
            own = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(own, size)
    descriptor = os.open(_all_say(path)[0], os.O_RDWR)
    try:
        memory = mmap.mmap(descriptor, size)
        dist.barrier()  # rank 0's descriptor is what the others open
    finally:
        _close([descriptor] if own is None else [descriptor, own])
    return memory


def _all_say(word: Any) -> list:
    words = [None] * dist.get_world_size()
    dist.all_gather_object(words, word)
    return words


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
