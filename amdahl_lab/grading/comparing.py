"""Plays made-up machines to a student's harness, beside the student's code, with a virtual clock.

A machine is a table of times that the grader drew: what the k-th run of all would take if it were
a run of the one program or of the other. What the times were drawn from stays outside.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from amdahl_lab.grading import wire

PROGRAMS = "ab"


class MadeUpMachine:
    """Two programs and a clock that only they move.

    Parameters
    ----------
    times : ndarray, shape (3, K)
        Seconds of the k-th run of all, by the first program (row 0) or the second (row 1). Row 2
        holds by what the first runs of each are multiplied, `cold` numbers for each program.
    cold : int
        How many first runs of each program are cold.
    """

    def __init__(self, times: np.ndarray, cold: int) -> None:
        self._times, self._cold = times[:2], times[2, : 2 * cold].reshape(2, cold)
        self._now = 1000.0
        self.order = ""

    def program(self, name: str) -> Callable[[], None]:
        """One of the two programs."""
        row = PROGRAMS.index(name)

        def run() -> None:
            turn, earlier = len(self.order), self.order.count(name)
            if turn >= self._times.shape[1]:
                raise RuntimeError("more runs than rounds were asked for")
            factor = self._cold[row, earlier] if earlier < self._cold.shape[1] else 1.0
            self._now += factor * self._times[row, turn]
            self.order += name

        return run

    def clock(self) -> float:
        """Seconds since some moment."""
        return self._now


def compare_all(
    function: Callable, table: Callable[[int], np.ndarray], trials: int, rounds: int, warmups: int
) -> list[dict[str, Any]]:
    """Hand one machine after the other to the student's harness.

    Parameters
    ----------
    function : callable
        ``compare(run_a, run_b, clock, rounds, warmups, rng)``.
    table : callable
        Gives the times of machine number k.
    trials, rounds, warmups : int
        Number of machines, of rounds and of rounds before them.

    Returns
    -------
    list of dict
        For each machine what the harness returned or raised, and the order of the runs.
    """
    told = []
    for trial in range(trials):
        machine = MadeUpMachine(table(trial), warmups)
        runs = [machine.program(name) for name in PROGRAMS]
        rng = np.random.default_rng([trial, rounds])
        try:
            with np.errstate(all="ignore"):
                value = wire.plain(function(*runs, machine.clock, rounds, warmups, rng))
        except Exception as error:
            told.append({"raised": type(error).__name__})
            continue
        told.append({"value": value, "order": machine.order})
        if value is None:
            break
    return told
