"""Beside the student's code, inside the sandbox: takes a question, returns plain data.

Nothing here is trusted. What it sends out is judged outside, by `checks` that never come in.
A student's names are looked up in the notebook's namespace and nowhere else, so a notebook that
uses a name like ``sum`` or ``json`` for its own purposes is answered like any other.
"""

import importlib
import json
import re
import signal
from collections.abc import Callable
from typing import Any

import numpy as np

from amdahl_lab.grading import wire


class Asker:
    """Talks to the grader while a question is worked on."""

    def __init__(self, kernel: Any, token: str) -> None:
        self._kernel, self._token, self._number = kernel, token, 0

    def send(self, body: dict[str, Any]) -> Any:
        """Send one message and return the reply."""
        self._number += 1
        message = {"token": self._token, "number": self._number, "body": body}
        while True:
            reply = json.loads(self._kernel.raw_input(json.dumps(message)))
            if (reply.get("token"), reply.get("number")) == (self._token, self._number):
                return reply["body"]
            # A late reply to something else: ask again under the same number.

    def callback(self, name: str) -> Callable:
        """Return a function whose values are worked out by the grader, outside."""

        def function(*arguments: Any, **named: Any) -> Any:
            message = {
                "callback": name,
                "arguments": [wire.plain(value) for value in arguments],
                "named": {key: wire.plain(value) for key, value in named.items()},
            }
            reply = self.send(message)
            if "value" not in reply:
                raise ValueError(reply.get("error", "no value for these arguments"))
            return wire.unpacked(reply["value"])

        return function


def greet() -> None:
    """Ask for anything until a reply comes: only then does the way back to the grader exist.

    A request that is sent before the grader's socket has joined is lost without a trace.
    """
    from IPython import get_ipython

    def give_up(*_: Any) -> None:
        raise KeyboardInterrupt

    kernel = get_ipython().kernel
    if not hasattr(signal, "setitimer"):  # Windows
        kernel.raw_input("{}")
        return
    before = signal.signal(signal.SIGALRM, give_up)
    try:
        for _ in range(100):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            try:
                kernel.raw_input("{}")
                return
            except KeyboardInterrupt:
                continue
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def answer(text: str) -> None:
    """Answer one question of the grader, given as JSON."""
    from IPython import get_ipython

    shell = get_ipython()
    question = json.loads(text)
    asker = Asker(shell.kernel, question.pop("token"))
    kinds = {"call": call, "value": value, "ranks": ranks, "scene": scene, "compare": compare}
    result = kinds[question.pop("kind")](shell.user_ns, asker, **question)
    asker.send({"answer": result})


def _argument(asker: Asker, packed: Any) -> Any:
    if isinstance(packed, dict) and "callback" in packed:
        return asker.callback(packed["callback"])
    if isinstance(packed, dict) and "rng" in packed:
        return np.random.default_rng(packed["rng"])
    return wire.unpacked(packed)


def call(namespace: dict, asker: Asker, function: str, cases: list) -> list:
    """Call a function of the notebook on each case."""
    if not callable(namespace.get(function)):
        return [{"missing": function}] * len(cases)
    results = []
    for case in cases:
        try:
            arguments = [_argument(asker, packed) for packed in case]
            with np.errstate(all="ignore"):
                results.append({"value": wire.plain(namespace[function](*arguments))})
        except Exception as error:
            results.append({"raised": type(error).__name__})
    return results


def value(namespace: dict, asker: Asker, name: str) -> dict:
    """Value of a name of the notebook."""
    return {"value": wire.plain(namespace[name])} if name in namespace else {"missing": name}


def ranks(
    namespace: dict, asker: Asker, function: str, probe: str = "rank_probe", **scenario: Any
) -> dict:
    """Run a scenario of a probe for ranks with a function of the notebook on real ranks."""
    module = importlib.import_module(f"amdahl_lab.grading.{probe}")
    if not callable(namespace.get(function)):
        return {"missing": function}
    try:
        return {"value": wire.plain(module.run(namespace[function], **scenario))}
    except Exception as error:
        return {"raised": type(error).__name__}


def scene(
    namespace: dict,
    asker: Asker,
    functions: list,
    name: str,
    probe: str = "rank_scenes",
    **scenario: Any,
) -> dict:
    """Play a scene of a probe with functions of the notebook on real ranks."""
    module = importlib.import_module(f"amdahl_lab.grading.{probe}")
    for function in functions:
        if not callable(namespace.get(function)):
            return {"missing": function}
    try:
        given = [namespace[function] for function in functions]
        return {"value": wire.plain(module.play(name, given, **scenario))}
    except Exception as error:
        # What a rank raised says more than that it did.
        in_rank = re.match(r"rank \d+ of \d+ raised (?:\w+\.)*(\w+)", str(error))
        return {"raised": in_rank[1] if in_rank else type(error).__name__}


def compare(namespace: dict, asker: Asker, function: str, **settings: Any) -> list:
    """Let a harness of the notebook compare made-up machines, whose times the grader sends."""
    from amdahl_lab.grading import comparing

    if not callable(namespace.get(function)):
        return [{"missing": function}]
    return comparing.compare_all(namespace[function], asker.callback("machine"), **settings)
