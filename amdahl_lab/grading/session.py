"""One kernel for one submission, spoken to from outside: run a cell, ask a question.

All that arrives is data: JSON messages of bounded size, checked before use. Nothing that the
student's process sent is unpickled, executed or shown as HTML.
"""

import math
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zmq
from nbformat import NotebookNode
from nbformat.v4 import new_output

from amdahl_lab.grading import connection, sandbox, wire
from amdahl_lab.grading.channels import Channels
from amdahl_lab.grading.conversation import Conversation
from amdahl_lab.grading.limits import Limits
from amdahl_lab.grading.outputs import Outputs
from amdahl_lab.grading.watch import Watch


class KernelLostError(Exception):
    """The kernel is gone; the message is a sentence for the student."""


class NoAnswerError(Exception):
    """A question got no usable answer; the message is a sentence for the student."""


@dataclass(frozen=True)
class CellRun:
    """What came of one cell.

    Parameters
    ----------
    status : str
        ``"ok"``, ``"error"`` or ``"timeout"``.
    outputs : tuple of NotebookNode
        What it showed, without anything that a browser would execute.
    seconds : float
        Wall time, measured outside.
    loopback_bytes : int or None
        Bytes that moved over the sandbox's loopback meanwhile, counted by the system.
    kept_bytes : int
        Size of the outputs.
    """

    status: str
    outputs: tuple[NotebookNode, ...]
    seconds: float
    loopback_bytes: int | None = None
    kept_bytes: int = 0


class KernelSession:
    """A kernel in a sandbox, started on entry and gone on exit.

    Parameters
    ----------
    package : Path
        Folder made by `student_package.prepare`.
    submission : Path
        Folder with the submitted files.
    limits : Limits
        What it may use.
    secret_folders : iterable of Path
        Folders that must not be seen even where they lie inside a mounted one.
    without_sandbox : bool
        Run the kernel unprotected. For systems without bubblewrap, at the grader's own risk.
    """

    def __init__(
        self,
        package: Path,
        submission: Path,
        limits: Limits,
        *,
        secret_folders: Iterable[Path] = (),
        without_sandbox: bool = False,
    ) -> None:
        self.package, self.submission, self.limits = package, submission, limits
        self.secret_folders = tuple(secret_folders)
        self.without_sandbox = without_sandbox

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="lab-"))
        self._descriptors: list[int] = []
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _start(self) -> None:
        key = secrets.token_hex(16)
        file = self._folder / "kernel.json" if self.without_sandbox else sandbox.CONNECTION_FILE
        ports = connection.ports()
        text = connection.text(file.parent, ports, key)
        command = [
            *(sys.executable, "-m", "amdahl_lab.grading.inside"),
            *("--connection", str(file)),
            *("--file-bytes", str(self.limits.file_bytes)),
            *("--seconds", str(int(self.limits.notebook_seconds) + 60)),
        ]
        if self.without_sandbox:
            file.write_text(text)
            self._process, inside = sandbox.start_unprotected(
                command, package=self.package, scratch=self._folder
            )
        else:
            self._process, inside = sandbox.start(
                [*command, "--processes", str(self.limits.processes)],
                package=self.package,
                submission=self.submission,
                connection=text,
                limits=self.limits,
                secrets=self.secret_folders,
            )
        self.watch = Watch(self._process, inside, self.limits)
        if sys.platform == "linux":
            self.watch.__enter__()
        deadline = time.monotonic() + self.limits.start_seconds
        if os.name == "nt":
            addresses = {name: f"tcp://127.0.0.1:{port}" for name, port in ports.items()}
        else:
            root = Path("/" if self.without_sandbox else f"/proc/{inside}/root")
            while not (self.without_sandbox or _is_elsewhere(root)):
                self._wait_a_moment(deadline)
            folder = root / file.parent.relative_to("/")
            addresses = {
                name: self._address(folder / f"k-{port}", deadline) for name, port in ports.items()
            }
        self._channels = Channels(key, addresses, self.limits)
        self._wait_until_ready(deadline)

    def _address(self, path: Path, deadline: float) -> str:
        """Address of a socket of the kernel, as soon as it is there.

        It names the socket itself and not its place, where a student may put something else.
        """
        if sys.platform != "linux":
            while not path.exists():
                self._wait_a_moment(deadline)
            return f"ipc://{path}"
        while True:
            try:
                self._descriptors.append(os.open(path, os.O_PATH | os.O_NOFOLLOW))
            except OSError:
                self._wait_a_moment(deadline)
            else:
                return f"ipc:///proc/self/fd/{self._descriptors[-1]}"

    def _wait_a_moment(self, deadline: float) -> None:
        self._check_alive()
        if time.monotonic() > deadline:
            raise KernelLostError("it did not start in time")
        time.sleep(0.01)

    def _wait_until_ready(self, deadline: float) -> None:
        """Return when all channels are known to work: what is sent before that can be lost."""
        answered = heard = False
        while not (answered and heard):
            if time.monotonic() > deadline:
                raise KernelLostError("it did not start in time")
            self._send("shell", "kernel_info_request", {})
            until = time.monotonic() + 0.2
            while time.monotonic() < until and not (answered and heard):
                self._check_alive()
                ready = self._channels.ready(20)
                if "shell" in ready:
                    answered = self._channels.receive("shell") is not None or answered
                if "iopub" in ready:
                    heard = self._channels.receive("iopub") is not None or heard
        hello = wire.GREETING
        if self._execute(hello, Outputs(self.limits), 20.0, lambda _: "{}") != "ok":
            raise KernelLostError("it did not start in time")

    def _end(self) -> None:
        if hasattr(self, "_process"):
            sandbox.stop(self._process)
        if hasattr(self, "watch") and self.watch._thread.is_alive():
            self.watch.__exit__()
        if hasattr(self, "_channels"):
            self._channels.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check_alive(self) -> None:
        if self._process.poll() is not None:
            time.sleep(2 * self.limits.watch_seconds)
            raise KernelLostError(self.watch.verdict or "its process ended")

    def _send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        try:
            return self._channels.send(channel, kind, content)
        except zmq.Again:
            sandbox.stop(self._process)
            raise KernelLostError("it did not take what was sent to it") from None

    def run(self, code: str, seconds: float | None = None) -> CellRun:
        """Run the code of one cell.

        Parameters
        ----------
        code : str
            Source of the cell.
        seconds : float, optional
            Wall time that it gets; the limit for a cell if left out.

        Returns
        -------
        CellRun

        Raises
        ------
        KernelLostError
            If the kernel is gone, or did not come back after an interrupt.
        """
        seconds = self.limits.cell_seconds if seconds is None else seconds
        outputs = Outputs(self.limits)
        before, started = self.watch.loopback(), time.monotonic()
        status = self._execute(code, outputs, seconds, None)
        after = self.watch.loopback()
        moved = None if before is None or after is None else after[0] - before[0]
        spent = time.monotonic() - started
        if status == "timeout":
            text = f"stopped after {seconds:.0f} s, the time that one cell may take"
            outputs.nodes.append(
                new_output("error", ename="CellTimeout", evalue=text, traceback=[text])
            )
        moved = None if self.without_sandbox else moved
        kept = outputs.kept + outputs.pictures
        return CellRun(status, tuple(outputs.nodes), spent, moved, kept)

    def ask(
        self,
        kind: str,
        question: dict[str, Any],
        *,
        service: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        seconds: float | None = None,
    ) -> Any:
        """Ask the probe inside for plain data.

        Parameters
        ----------
        kind : str
            Name of a function of the probe.
        question : dict
            What it is called with, as plain data.
        service : callable, optional
            Answers what the probe asks back while it works.
        seconds : float, optional
            Wall time that it gets; the limit for a question if left out.

        Returns
        -------
        Any
            What JSON can hold.

        Raises
        ------
        NoAnswerError
            If the answer is missing, late, too large or garbled.
        KernelLostError
            If the kernel is gone.
        """
        seconds = min(self.limits.question_seconds, math.inf if seconds is None else seconds)
        conversation = Conversation(service, self.limits.answer_bytes)
        question = {**question, "token": conversation.token}
        outputs = Outputs(self.limits)
        status = self._execute(wire.question(kind, question), outputs, seconds, conversation.listen)
        if status == "timeout":
            raise NoAnswerError(f"it took longer than {seconds:.0f} s")
        if len(conversation.answers) != 1:
            raise NoAnswerError("it gave no answer")
        return conversation.answers[0]

    def _execute(
        self,
        code: str,
        outputs: Outputs,
        seconds: float,
        listen: Callable[[str], str] | None,
    ) -> str:
        content = {
            "code": code,
            "silent": listen is not None,
            "store_history": listen is None,
            "user_expressions": {},
            "allow_stdin": listen is not None,
            "stop_on_error": False,
        }
        request = self._send("shell", "execute_request", content)
        deadline = time.monotonic() + seconds
        status, idle, interrupted = "", False, False
        while not (status and idle):
            ready = self._channels.ready(50)
            if not ready:
                self._check_alive()
            if "stdin" in ready:
                message = self._channels.receive("stdin")
                if message and message["msg_type"] == "input_request" and listen:
                    text = message["content"].get("prompt")
                    reply = listen(text) if isinstance(text, str) else "{}"
                    self._send("stdin", "input_reply", {"value": reply})
            if "iopub" in ready:
                message = self._channels.receive("iopub")
                if message and _parent(message) == request:
                    content = message["content"]
                    if message["msg_type"] == "status":
                        idle = idle or content.get("execution_state") == "idle"
                    outputs.add(message["msg_type"], content, message["size"])
            if "shell" in ready:
                message = self._channels.receive("shell")
                if message and _parent(message) == request:
                    status = "ok" if message["content"].get("status") == "ok" else "error"
                    # The last outputs may still be on their way; a lost one must not hold us up.
                    deadline = min(deadline, time.monotonic() + 2.0)
            if outputs.received > self.limits.flood_bytes:
                sandbox.stop(self._process)
                raise KernelLostError("it printed without end")
            if time.monotonic() > deadline:
                if status:
                    break
                if interrupted:
                    sandbox.stop(self._process)
                    raise KernelLostError(
                        f"it ran longer than {seconds:.0f} s and could not be interrupted"
                    )
                interrupted = True
                self._send("control", "interrupt_request", {})
                deadline = time.monotonic() + 5.0
        return "timeout" if interrupted else status


def _parent(message: dict[str, Any]) -> str | None:
    parent = message.get("parent_header")
    return parent.get("msg_id") if isinstance(parent, dict) else None


def _is_elsewhere(root: Path) -> bool:
    """Whether a sandbox has come as far as a root of its own."""
    try:
        return not root.samefile("/")
    except OSError:
        return False
