"""How a kernel and the grader find each other: Jupyter's connection file."""

import contextlib
import json
import os
import socket
from pathlib import Path

_PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}


def ports() -> dict[str, int]:
    """Port of each channel of a kernel: a part of a file's name, or one that is free."""
    if os.name != "nt":
        return dict(_PORTS)
    with contextlib.ExitStack() as stack:  # no sockets in the file system
        held = [stack.enter_context(socket.socket()) for _ in _PORTS]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(_PORTS, held, strict=True)}


def text(folder: Path, ports: dict[str, int], key: str) -> str:
    """Text of the kernel's connection file."""
    windows = os.name == "nt"
    content = {
        "transport": "tcp" if windows else "ipc",
        "ip": "127.0.0.1" if windows else str(folder / "k"),
        "key": key,
        "signature_scheme": "hmac-sha256",
        "kernel_name": "python3",
        **{f"{name}_port": port for name, port in ports.items()},
    }
    return json.dumps(content)
