"""Counts what one rank sends while a student's function runs, by whatever name it is called.

It stands beside the student's code, inside the sandbox, so what it says can be forged. The grader
holds it against the bytes and packets that the system counted outside.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_COLLECTIVES = (
    *("allreduce", "allreduce_coalesced", "broadcast", "reduce", "barrier", "monitored_barrier"),
    *("allgather", "allgather_coalesced", "_allgather_base", "allgather_into_tensor_coalesced"),
    *("all_gather_single", "all_gather_single_coalesced", "all_to_all_single"),
    *("reduce_scatter", "reduce_scatter_single", "reduce_scatter_single_coalesced"),
    *("_reduce_scatter_base", "reduce_scatter_tensor_coalesced", "alltoall", "alltoall_base"),
    *("gather", "scatter"),
)


@contextmanager
def counted() -> Iterator[list]:
    """Watch all process groups of this rank inside a with block.

    Yields
    ------
    list
        Grows by ``[kind, bytes, peer]`` with each call: ``"send"`` with the rank it goes to, or
        the name of a collective with -1. What is received does not count, for it was sent.
    """
    from torch.distributed import ProcessGroup

    calls: list = []
    names = [name for name in ("send", *_COLLECTIVES) if hasattr(ProcessGroup, name)]
    originals = {name: getattr(ProcessGroup, name) for name in names}
    for name, original in originals.items():
        setattr(ProcessGroup, name, _watched(name, original, calls))
    try:
        yield calls
    finally:
        for name, original in originals.items():
            setattr(ProcessGroup, name, original)


def _watched(name: str, original: Callable, calls: list) -> Callable:
    def call(group: Any, *arguments: Any, **named: Any) -> Any:
        given = [*arguments, *named.values()]
        peer = given[1] if name == "send" else -1
        calls.append([name, _bytes(given[:1]), peer])
        return original(group, *arguments, **named)

    return call


def _bytes(buffers: Any) -> int:
    if isinstance(buffers, list | tuple):
        return sum(_bytes(each) for each in buffers)
    return getattr(buffers, "nbytes", 0)
