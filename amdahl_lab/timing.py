"""The measuring protocol: rounds that interleave all configurations in random order.

What a shared machine does to one moment then hits every configuration alike, and a drift over
minutes cannot pass for a difference between them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
Block = Callable[[], Mapping[str, float]]


class Values(NamedTuple):
    """Seconds per step of one phase, in the order of the rounds, warm-up rounds apart."""

    warmups: tuple[float, ...]
    seconds: tuple[float, ...]


def measure(
    configurations: Mapping[Key, Block],
    rounds: int,
    *,
    warmups: int = 1,
    rng: np.random.Generator,
    progress: Callable[[Iterable[int]], Iterable[int]] | None = None,
) -> dict[Key, dict[str, Values]]:
    """Time several configurations side by side.

    Parameters
    ----------
    configurations : mapping
        For each key a function that runs one block of work and returns the seconds per step of
        each phase, always the same phases. A block must last long enough to dwarf the clock:
        tens of milliseconds.
    rounds : int, at least 2
        Rounds that count. Each runs every configuration once, in random order.
    warmups : int, at least 0
        Rounds that come first and are kept apart.
    rng : numpy.random.Generator
        Source of the orders.
    progress : callable, optional
        Wraps the numbers of the rounds, as ``tqdm.auto.tqdm`` does, to show a bar.

    Returns
    -------
    dict
        For each key and phase its `Values`. An interrupt (Ctrl-C) ends the measurement and keeps
        the whole rounds so far; with fewer than two that count, it goes on to the caller.

    Raises
    ------
    ValueError
        If there is nothing to measure, or a number of rounds is out of range.
    """
    if not configurations:
        raise ValueError("configurations must hold at least one, got none")
    if rounds < 2:
        raise ValueError(f"rounds must be at least 2, got {rounds!r}")
    if warmups < 0:
        raise ValueError(f"warmups must be at least 0, got {warmups!r}")
    keys = list(configurations)
    done: list[dict[Key, Mapping[str, float]]] = []
    numbers = range(warmups + rounds)
    try:
        for _ in progress(numbers) if progress else numbers:
            order = [keys[i] for i in rng.permutation(len(keys))]
            done.append({key: dict(configurations[key]()) for key in order})
    except KeyboardInterrupt:
        if len(done) < warmups + 2:
            raise
    return {
        key: {phase: _values(done, key, phase, warmups) for phase in done[0][key]} for key in keys
    }


def _values(done: list[dict], key: Hashable, phase: str, warmups: int) -> Values:
    seconds = tuple(float(one_round[key][phase]) for one_round in done)
    return Values(seconds[:warmups], seconds[warmups:])
