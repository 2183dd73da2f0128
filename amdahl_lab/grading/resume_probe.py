"""Kills a training again and again, and tells from where a student's `resume` went on.

Each life of the training is a process of its own. It writes down what it sees, as it is gone
before it could return anything. Nothing here is trusted; the grader judges outside.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from amdahl_lab.grading.long_training import LongTraining

_DANGEROUS = ("os.rename", "os.remove", "os.truncate", "os.link", "os.symlink", "os.rmdir")


def play(
    name: str,
    functions: Sequence[Callable],
    *,
    workers: int,
    seconds: float,
    kills: list,
    training: dict[str, Any],
    every: int,
    unbroken: int = 0,
    halved: int = 0,
) -> list:
    """Let a training live and die in one folder, once for each kill.

    Parameters
    ----------
    name : str
        For the grader's own use.
    functions : sequence of callable
        The student's ``save(training, folder)`` and ``resume(training, folder)``.
    workers : int
        One.
    seconds : float
        Wall time of one life.
    kills : list
        How each life ends: ``["step", n]`` after n steps of its own, ``["change", n]`` in its
        second save, before the change number n of the file system, ``["write", n]`` in its
        second save, when a file grows beyond n bytes, or ``["end", n]`` with n steps in all.
    training : dict
        Arguments of `LongTraining`.
    every : int
        Steps between two saves.
    unbroken : int
        Steps of a training that nobody kills, told first; none with 0.
    halved : int
        Step after which the learning rate is halved by hand, in every life that does this step;
        never with 0. To do the steps again inside `resume` does not lead there.

    Returns
    -------
    list
        One entry: the states of the unbroken training, and for each life what it told.
    """
    from amdahl_lab.parallel import RankError, RankTimeout, run_ranks

    with tempfile.TemporaryDirectory() as scratch:
        folder, told = Path(scratch) / "checkpoints", []
        folder.mkdir()
        for place, kill in enumerate(kills):
            book = Path(scratch) / f"life{place}.jsonl"
            arguments = (functions, training, every, halved, kill, folder, book)
            ended = ""
            try:
                run_ranks(_live, 1, *arguments, unbroken if place == 0 else 0, timeout=seconds)
            except RankTimeout:
                ended = "hung"
            except RankError as error:
                ended = "killed" if "was ended by SIG" in str(error) else "failed"
            lines = book.read_text().splitlines() if book.exists() else []
            told.append([ended, *(json.loads(line) for line in lines)])
            if ended != "killed":
                break
    return [told]


def _live(
    functions: Sequence[Callable],
    settings: dict[str, Any],
    every: int,
    halved: int,
    kill: list,
    folder: Path,
    book: Path,
    unbroken: int,
) -> None:
    """One life, from resuming to being killed."""
    save, resume = functions
    kind, number = kill
    if unbroken:
        tell(book, "unbroken", _undisturbed(settings, unbroken, halved))
    training = LongTraining(**settings)
    try:
        resume(training, folder)
    except Exception as error:
        tell(book, "stopped", ["resume", type(error).__name__])
        if any(folder.iterdir()):
            return
        training = LongTraining(**settings)
    tell(book, "resumed", training.state())
    done = saves = 0
    while training.steps < number or kind != "end":
        step(training, halved)
        done += 1
        if training.steps % every == 0:
            saves += 1
            armed = kind in ("change", "write") and saves == 2
            try:
                with _deadly(kind, number) if armed else contextlib.nullcontext():
                    save(training, folder)
            except Exception as error:
                tell(book, "stopped", ["save", type(error).__name__])
                return
            tell(book, "saved", sum(path.is_file() for path in folder.rglob("*")))
            if armed:
                _die()  # it made fewer changes than that
        if kind == "step" and done == number:
            _die()
    tell(book, "ended", training.state())


def step(training: LongTraining, halved: int) -> None:
    """Do one step; after step number `halved`, halve the learning rate by hand."""
    training.step()
    if training.steps == halved:
        for group in training.optimiser.param_groups:
            group["lr"] *= 0.5


def _undisturbed(settings: dict[str, Any], steps: int, halved: int) -> list[dict[str, Any]]:
    training = LongTraining(**settings)
    states = [training.state()]
    for _ in range(steps):
        step(training, halved)
        states.append(training.state())
    return states


def tell(book: Path, what: str, value: Any) -> None:
    """Write down one thing, so that it outlives the process."""
    with book.open("a") as file:
        file.write(json.dumps([what, value]) + "\n")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def _deadly(kind: str, number: int) -> Iterator[None]:
    """Inside, a change of the file system or a write ends the process, wherever it stands."""
    if kind == "write":
        import resource

        # The system itself ends a process that writes beyond the limit; Python would ignore it.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (number, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        )
        yield
        return
    import torch

    changes, original = 0, torch.save

    def change() -> None:
        nonlocal changes
        if changes == number:
            _die()
        changes += 1

    def hook(event: str, arguments: tuple) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in _DANGEROUS:
            change()

    def counted_save(*arguments: Any, **named: Any) -> None:
        # It may write to a path by itself, unseen by the hook: stop before it and after it.
        change()
        original(*arguments, **named)
        change()

    torch.save = counted_save
    sys.addaudithook(hook)  # it can't be taken away again, and needn't: this is the last save
    yield
