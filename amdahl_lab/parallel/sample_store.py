"""A store of samples on the other side of a connection, as training data lies in real life.

Ranks ask for rows over the loopback. So what they load is counted by the store, and its bytes by
the system as well.
"""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

_REQUEST = struct.Struct("<qq")  # first row, and the row after the last


class Loader:
    """Loads samples from a store; made in the parent, used in the ranks.

    Parameters
    ----------
    address : pair of str and int
        Host and port of the store.
    samples, inputs, targets : int
        Number of samples, and of numbers in the inputs and the targets of one.
    """

    def __init__(self, address: tuple[str, int], samples: int, inputs: int, targets: int) -> None:
        self.address, self.samples, self.inputs, self.targets = address, samples, inputs, targets
        self.loaded = self.calls = 0
        self._socket: socket.socket | None = None

    def __call__(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Load samples `first` to `last` - 1.

        Returns
        -------
        inputs, targets : Tensor, shape (last - first, inputs) and (last - first, targets)
            In double precision.

        Raises
        ------
        ValueError
            If there are no such samples.
        """
        first, last = int(first), int(last)
        if not 0 <= first < last <= self.samples:
            raise ValueError(
                f"first and last must be 0 <= first < last <= {self.samples}, got {first}, {last}"
            )
        if self._socket is None:
            self._socket = socket.create_connection(self.address)
        self._socket.sendall(_REQUEST.pack(first, last))
        columns = self.inputs + self.targets
        rows = bytearray(8 * columns * (last - first))
        _receive_into(self._socket, rows)
        self.loaded += last - first
        self.calls += 1
        table = torch.from_numpy(np.frombuffer(rows).reshape(-1, columns))
        return table[:, : self.inputs], table[:, self.inputs :]

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def stored(inputs: np.ndarray, targets: np.ndarray) -> Iterator[Loader]:
    """Offer samples to the ranks for the length of a with block.

    Parameters
    ----------
    inputs, targets : ndarray, shape (samples, ...)
        One row for each sample.

    Yields
    ------
    Loader
        To be passed to the ranks.

    Raises
    ------
    ValueError
        If they differ in the number of samples.
    """
    if len(inputs) != len(targets):
        raise ValueError(f"targets must be {len(inputs)} as the inputs are, got {len(targets)}")
    table = np.ascontiguousarray(np.hstack([inputs, targets]), dtype="<f8")
    with _Server(("127.0.0.1", 0), _Answering) as server:
        server.table = table
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield Loader(server.server_address, len(table), inputs.shape[1], targets.shape[1])
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    table: np.ndarray


class _Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        request = bytearray(_REQUEST.size)
        try:
            while True:
                _receive_into(self.request, request)
                first, last = _REQUEST.unpack(request)
                self.request.sendall(self.server.table[first:last])
        except OSError:  # the rank has closed its connection, or ended
            pass


def _receive_into(source: socket.socket, room: bytearray) -> None:
    left = memoryview(room)
    while left:
        count = source.recv_into(left)
        if count == 0:
            raise ConnectionError("the other side has closed the connection")
        left = left[count:]
