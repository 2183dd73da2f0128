"""What a cell showed, as far as it is kept: text and pictures, nothing that a browser would run."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from amdahl_lab.grading.limits import Limits

_PICTURES = ("image/png", "image/jpeg")
_CUT = "\n... the rest of this output was cut ...\n"


@dataclass
class Outputs:
    """Collects the outputs of one cell within a budget.

    Parameters
    ----------
    limits : Limits
    nodes : list of NotebookNode
        What is kept.
    received : int
        Bytes that arrived, kept or not.
    kept, pictures : int
        Characters of text and of pictures that are kept.
    """

    limits: Limits
    nodes: list[NotebookNode] = field(default_factory=list)
    received: int = 0
    kept: int = 0
    pictures: int = 0
    clear_next: bool = False

    def add(self, kind: str, content: dict[str, Any], size: int) -> None:
        """Take one message of the kernel's; whatever is not a well-formed output is dropped."""
        self.received += size
        if kind == "clear_output":
            self.clear_next = content.get("wait") is True
            if not self.clear_next:
                self._clear()
            return
        if kind not in ("stream", "execute_result", "display_data", "error"):
            return
        if self.clear_next:
            self._clear()
        if self.kept >= self.limits.output_bytes:
            return
        if kind == "stream":
            self._add_stream(content)
        elif kind == "error":
            self._add_error(content)
        else:
            self._add_data(content)

    def _clear(self) -> None:
        self.nodes, self.kept, self.pictures, self.clear_next = [], 0, 0, False

    def _text(self, value: Any) -> str:
        text = value if isinstance(value, str) else ""
        room = max(self.limits.output_bytes - self.kept, 0)
        if len(text) > room:
            text = text[:room] + _CUT
        self.kept += len(text)
        return text.encode("utf-8", "replace").decode()

    def _add_stream(self, content: dict[str, Any]) -> None:
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        text = self._text(content.get("text"))
        last = self.nodes[-1] if self.nodes else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += text
        else:
            self.nodes.append(new_output("stream", name=name, text=text))

    def _add_error(self, content: dict[str, Any]) -> None:
        traceback = content.get("traceback")
        lines = [self._text(line) for line in traceback] if isinstance(traceback, list) else []
        name, value = self._text(content.get("ename")), self._text(content.get("evalue"))
        self.nodes.append(new_output("error", ename=name, evalue=value, traceback=lines))

    def _add_data(self, content: dict[str, Any]) -> None:
        data = content.get("data")
        if not isinstance(data, dict):
            return
        kept = {"text/plain": self._text(data.get("text/plain"))}
        for mime in _PICTURES:
            picture = data.get(mime)
            room = self.limits.picture_bytes - self.pictures
            if _is_base64(picture) and len(picture) <= room:
                kept[mime] = picture
                self.pictures += len(picture)
        # Not an execute_result: only the grader writes those, because nbgrader reads points there.
        self.nodes.append(new_output("display_data", data=kept))


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(
            base64.b64decode(value.replace("\n", ""), validate=True)
        )
    except (binascii.Error, ValueError):
        return False
