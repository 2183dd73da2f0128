"""The sockets to one kernel: messages go out and come in, of bounded size, and are only data."""

from typing import Any

import zmq
from jupyter_client.session import Session

from amdahl_lab.grading.limits import Limits

_KINDS = {"shell": zmq.DEALER, "iopub": zmq.SUB, "stdin": zmq.DEALER, "control": zmq.DEALER}


class Channels:
    """The four channels of Jupyter's protocol, by name: shell, iopub, stdin, control.

    Parameters
    ----------
    key : str
        What messages are signed with.
    addresses : dict of str to str
        Where the kernel listens, by name of the channel.
    limits : Limits
        How large a message may be.
    """

    def __init__(self, key: str, addresses: dict[str, str], limits: Limits) -> None:
        self._session = Session(key=key.encode(), signature_scheme="hmac-sha256", username="grader")
        self._context = zmq.Context()
        self._sockets = {}
        for name, kind in _KINDS.items():
            socket = self._context.socket(kind)
            socket.linger = 0
            socket.maxmsgsize = limits.message_bytes
            socket.rcvhwm = socket.sndhwm = 64
            socket.sndtimeo = 2000  # a kernel that does not listen must not hold us up
            if kind == zmq.DEALER:
                socket.identity = self._session.bsession
            else:
                socket.subscribe(b"")
            socket.connect(addresses[name])
            self._sockets[name] = socket
        self._poller = zmq.Poller()
        for name in ("shell", "iopub", "stdin"):
            self._poller.register(self._sockets[name], zmq.POLLIN)

    def send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        """Send a message and return its identifier.

        Raises
        ------
        zmq.Again
            If the kernel does not take it.
        """
        return self._session.send(self._sockets[channel], kind, content)["header"]["msg_id"]

    def ready(self, milliseconds: int) -> set[str]:
        """Wait for something to arrive; the channels on which something has."""
        arrived = dict(self._poller.poll(milliseconds))
        return {name for name, socket in self._sockets.items() if socket in arrived}

    def receive(self, channel: str) -> dict[str, Any] | None:
        """Next message, or None if there is none or what arrived is no valid message."""
        try:
            frames = self._sockets[channel].recv_multipart(zmq.NOBLOCK)
            _, frames = self._session.feed_identities(frames)
            message = self._session.deserialize(frames)
            valid = isinstance(message["content"], dict) and isinstance(message["msg_type"], str)
        except Exception:  # whatever a student's process can think of
            return None
        if not valid:
            return None
        message["size"] = sum(len(frame) for frame in frames)
        return message

    def close(self) -> None:
        """Close all sockets; what was not sent yet is dropped."""
        self._context.destroy(linger=0)
