"""Slips of units in a user's table, found where numbers contradict each other.

What can be seen: a value 60, 1000, 3600 or a million times the others of its N; a jump of that
kind from one N to the next; a part of the step far longer than the step; time x rate that is not
the work done, by such a factor or by 8 (bits for bytes); a rate that falls as a time does, and a
time that grows as a rate does. What can't be seen: a table in which every number is off alike.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from amdahl_lab.tables.rows import Row
from amdahl_lab.tables.text import SHOWN

FACTORS = {
    8: "bits for bytes",
    60: "minutes for seconds",
    1000: "milliseconds for seconds",
    3600: "hours for seconds",
    1_000_000: "microseconds for seconds",
}
JUMP = 30.0  # more than any law or hiccup explains, and less than the smallest unit of time
STEEP = 0.7  # slope of log time over log N from which a time behaves as a rate would


def find(rows: Sequence[Row], quantity: str) -> list[str]:
    """Return one sentence for each contradiction, with the lines that take part in it."""
    return [
        *_within_one_n(rows),
        *_from_n_to_n(rows),
        *_parts_of_the_step(rows),
        *_time_rate_and_work(rows),
        *_the_other_quantity(rows, quantity),
    ]


def lines(numbers: Iterable[int]) -> str:
    """Write line numbers for a message, the first ten of them."""
    numbers = sorted(set(numbers))
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    word = "line" if len(numbers) == 1 else "lines"
    return f"{word} {', '.join(map(str, numbers[:SHOWN]))}{more}"


def _near(ratio: float, factors: Iterable[int] = FACTORS) -> int | None:
    """Return the factor of units that a ratio, or its reciprocal, comes within 25% of."""
    larger = max(ratio, 1 / ratio)
    for factor in factors:
        if factor / 1.25 < larger < factor * 1.25:
            return factor
    return None


def _told(ratio: float) -> str:
    factor = _near(ratio)
    return f" ({FACTORS[factor]}?)" if factor else ""


def _by(rows: Iterable[Row], *names: str) -> dict[tuple, list[Row]]:
    there: dict[tuple, list[Row]] = {}
    for row in rows:
        there.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
    return there


def _middle(rows: Sequence[Row]) -> float:
    """Middle of the seconds per unit of work; a rate's are per unit already."""
    return float(
        np.median(
            [row.seconds / (row.work or 1.0 if row.seconds == row.time else 1.0) for row in rows]
        )
    )


def _within_one_n(rows: Sequence[Row]) -> Iterable[str]:
    for (N, phase), group in _by(rows, "workers", "phase").items():
        if len(group) < 3:
            continue
        middle = float(np.median([row.seconds for row in group]))
        for row in group:
            ratio = row.seconds / middle
            if _near(ratio, [f for f in FACTORS if f > JUMP]):
                yield (
                    f"line {row.line}: {phase} at N = {N} is {_times(ratio)} the middle of its "
                    f"N{_told(ratio)}"
                )


def _from_n_to_n(rows: Sequence[Row]) -> Iterable[str]:
    for (phase,), group in _by(rows, "phase").items():
        if phase == "communication":  # its time may grow with N as it likes
            continue
        at = sorted(_by(group, "workers").items())
        for ((first,), left), ((second,), right) in pairwise(at):
            ratio = _middle(right) / _middle(left)
            # Between perfect scaling and none at all every law is at home.
            beyond = ratio if ratio > 1 else min(1.0, ratio * second / first)
            if max(beyond, 1 / beyond) > JUMP:
                yield (
                    f"{phase} changes {_times(ratio)} from N = {first} "
                    f"({lines(row.line for row in left)}) to N = {second} "
                    f"({lines(row.line for row in right)}), which no number of workers "
                    f"explains{_told(beyond)}"
                )


def _parts_of_the_step(rows: Sequence[Row]) -> Iterable[str]:
    groups = _by(rows, "workers", "phase")
    for (N, phase), group in groups.items():
        whole = groups.get((N, "step"))
        if phase == "step" or whole is None:
            continue
        ratio = _middle(group) / _middle(whole)
        if ratio > min(FACTORS) / 1.25:
            yield (
                f"{phase} at N = {N} ({lines(row.line for row in group)}) takes {_times(ratio)} "
                f"the step that it is a part of ({lines(row.line for row in whole)}){_told(ratio)}"
            )


def _time_rate_and_work(rows: Sequence[Row]) -> Iterable[str]:
    both = [row for row in rows if row.time is not None and row.rate is not None]
    worked = [row for row in both if row.work is not None]
    off = [row for row in worked if not 0.5 < row.time * row.rate / row.work < 2]
    if off:
        ratio = float(np.median([row.time * row.rate / row.work for row in off]))
        yield (
            f"{lines(row.line for row in off)}: time x throughput is {_times(ratio)} the "
            f"work{_told(ratio)}"
        )
    for (N, _), group in _by([row for row in both if row.work is None], "workers", "phase").items():
        done = [row.time * row.rate for row in group]
        middle = float(np.median(done))
        if middle < 0.5:
            yield (
                f"{lines(row.line for row in group)}: time x throughput at N = {N} leaves "
                f"{middle:.3g} units of work for one timing, less than one"
            )
        if len(group) < 3:
            continue
        for row, work in zip(group, done, strict=True):
            if _near(work / middle):
                yield (
                    f"line {row.line}: time x throughput at N = {N} is {_times(work / middle)} "
                    f"the middle of its N{_told(work / middle)}"
                )


def _the_other_quantity(rows: Sequence[Row], quantity: str) -> Iterable[str]:
    steps = [row for row in rows if row.phase == "step"]
    at = sorted(_by(steps, "workers").items())
    if len(at) < 2 or (quantity == "seconds" and any(row.work for row in steps)):
        return
    N = np.log([workers for (workers,), _ in at])
    slope = np.polyfit(N, np.log([_middle(group) for _, group in at]), 1)[0]
    if slope < STEEP:
        return
    every = lines(row.line for row in steps)
    if quantity == "throughput":
        yield f"the throughput falls with N as a time does; is it a time? ({every})"
    else:
        yield f"the time grows with N as a throughput does; is it a throughput? ({every})"


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times"
