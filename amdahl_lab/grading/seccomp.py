"""A filter of system calls for the sandbox: what namespaces and limits leave open.

Memory that belongs to no process (anonymous files, System V segments, shared anonymous pages)
escapes whoever counts the memory of processes; keyrings and virtual sockets cross the borders of
namespaces; tracing and rings of requests go around what is watched. Numerical Python needs none
of these, so they fail with "operation not permitted".

Reference: seccomp(2) and linux/filter.h.
"""

import platform
import struct
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _NOT_PERMITTED = 0x7FFF0000, 0x00050001
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000  # the second set of numbers of x86-64
_SHARED_ANONYMOUS = 0x21
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK


@dataclass(frozen=True)
class _Machine:
    """Numbers of system calls on one kind of processor; both kinds are little-endian."""

    architecture: int
    socket: int
    mmap: int
    forbidden: tuple[int, ...]


# memfd_create, memfd_secret; shmget, shmat, msgget, semget; ptrace, process_vm_readv, _writev;
# io_uring_setup, _enter, _register; add_key, request_key, keyctl; bpf, userfaultfd,
# perf_event_open.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        socket=41,
        mmap=9,
        forbidden=(
            *(319, 447, 29, 30, 68, 64, 101, 310, 311),
            *(425, 426, 427, 248, 249, 250, 321, 323, 298),
        ),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        socket=198,
        mmap=222,
        forbidden=(
            *(279, 447, 194, 196, 186, 190, 117, 270, 271),
            *(425, 426, 427, 217, 218, 219, 280, 282, 241),
        ),
    ),
}


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _refuse_if_equal(value: int) -> list[bytes]:
    return [_line(_EQUAL, value, 0, 1), _line(_RETURN, _NOT_PERMITTED)]


def program(machine: str | None = None) -> bytes:
    """Filter for bubblewrap's ``--seccomp``.

    Parameters
    ----------
    machine : str, optional
        Kind of processor as `platform.machine` names it; this one if left out.

    Returns
    -------
    bytes
        Instructions as the kernel reads them; empty where the kind of processor is not known.
    """
    known = _MACHINES.get(platform.machine() if machine is None else machine)
    if known is None:
        return b""
    lines = [
        _line(_LOAD, _ARCHITECTURE_AT),
        _line(_EQUAL, known.architecture, 1, 0),
        _line(_RETURN, _NOT_PERMITTED),
        _line(_LOAD, _NUMBER_AT),
    ]
    if machine != "aarch64":
        lines += [_line(_AT_LEAST, _X32, 0, 1), _line(_RETURN, _NOT_PERMITTED)]
    for number in known.forbidden:
        lines += _refuse_if_equal(number)
    families = [
        _line(_LOAD, _ARGUMENTS_AT),
        *(
            line
            for family in _FAMILIES
            for line in (_line(_EQUAL, family, 0, 1), _line(_RETURN, _ALLOW))
        ),
        _line(_RETURN, _NOT_PERMITTED),
    ]
    mapping = [
        _line(_LOAD, _ARGUMENTS_AT + 3 * 8),
        _line(_AND, _SHARED_ANONYMOUS),
        *_refuse_if_equal(_SHARED_ANONYMOUS),
    ]
    lines += [_line(_EQUAL, known.socket, 0, len(families)), *families]
    lines += [_line(_EQUAL, known.mmap, 0, len(mapping)), *mapping]
    return b"".join([*lines, _line(_RETURN, _ALLOW)])
