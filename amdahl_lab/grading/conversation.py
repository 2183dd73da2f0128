"""The grader's side of one question to the probe: texts in, texts out, and nothing is raised."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from amdahl_lab.grading import wire

DEEPEST = 40  # lists in lists; what the probe sends is never that deep


class Conversation:
    """The grader's side of one question: answers what is asked back, keeps what is answered.

    Each message has a number, and its reply is kept until the next one: whoever did not get the
    reply can ask again without anything being done twice.
    """

    def __init__(
        self, service: Callable[[dict[str, Any]], dict[str, Any]] | None, most_bytes: int
    ) -> None:
        self.token = secrets.token_hex(8)
        self.answers: list[Any] = []
        self._service, self._most_bytes = service, most_bytes
        self._last: tuple[Any, str] = (None, "{}")

    def listen(self, text: str) -> str:
        """Take one message from inside; return the reply. Whatever arrives, nothing is raised."""
        if len(text) > self._most_bytes:
            return "{}"
        try:
            message = json.loads(text)
            if not isinstance(message, dict) or message.get("token") != self.token:
                return "{}"
            if wire.deeper_than(message, DEEPEST):
                return "{}"
            number, body = message["number"], message["body"]
            if number != self._last[0]:
                reply = {"token": self.token, "number": number, "body": self._reply(body)}
                self._last = (number, json.dumps(reply))
            return self._last[1]
        except Exception:  # whatever a student's process can think of
            return "{}"

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        if "answer" in body:
            self.answers.append(body["answer"])
            return {}
        return {} if self._service is None else self._service(body)
