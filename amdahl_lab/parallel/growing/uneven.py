"""Pieces of work of very different length: handed out beforehand, or to whoever is free.

A piece is self-attention over a text of L positions, L drawn from a log-normal distribution, as
lengths of texts roughly are. Its work grows with the square of L.
"""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.experiments import Progress, _measured
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.records import ScalingRun
from amdahl_lab.schedule import dynamic_finish, static_finish

FEATURES = 64
SHORTEST, LONGEST = 32, 1024
REPEATS = 8  # of each piece, so that the shortest outlasts what it takes to fetch one
WAYS = ("static", "dynamic", "dynamic, longest first")


def lengths(pieces: int, spread: float, seed: int = 0) -> np.ndarray:
    """Draw lengths of texts.

    Parameters
    ----------
    pieces : int, at least 1
        Number of texts.
    spread : float, at least 0
        Standard deviation of the logarithm of a length.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of int, shape (pieces,)
        Positions, between 32 and 1,024.

    Raises
    ------
    ValueError
        If there is no piece or the spread is negative.
    """
    if pieces < 1:
        raise ValueError(f"pieces must be at least 1, got {pieces!r}")
    if not spread >= 0:
        raise ValueError(f"spread must be at least 0, got {spread!r}")
    drawn = 256 * np.exp(spread * np.random.default_rng(seed).standard_normal(pieces))
    return np.clip(drawn, SHORTEST, LONGEST).astype(int)


def attend(positions: int) -> None:
    """Work off one piece: attention of every position to every other."""
    x = torch.full((positions, FEATURES), 0.01)
    torch.softmax(x @ x.T, dim=1) @ x


def uneven_run(
    workers: int = 2,
    rounds: int = 10,
    *,
    pieces: int = 24,
    spread: float = 0.8,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time uneven work under three schedules, and predict each from the times of its pieces.

    Parameters
    ----------
    workers : int, at least 1
        Number of workers N.
    rounds : int, at least 2
        Rounds that count; each draws its pieces anew.
    pieces, spread
        As for `lengths`.
    seed : int
        Seed of the pieces of all rounds.
    progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        Seconds to the end of the last worker, in the phases of `WAYS`; the same with
        ", predicted" behind them, from `schedule` on times of the pieces that were taken one by
        one while all ranks were busy; and "even share", the sum of those times over N.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    draws: Iterator[int] = iter(range(10**6))
    lengths(pieces, spread)

    def block() -> dict[str, float]:
        number = next(draws)
        drawn = lengths(pieces, spread, seed + number)
        order = np.random.default_rng([seed, number]).permutation(WAYS).tolist()
        ranks = run_ranks(uneven_block, workers, drawn, order)
        found = {way: max(rank[way] for rank in ranks) for way in WAYS}
        seconds = np.mean([rank["pieces"] for rank in ranks], axis=0)
        ways = (
            static_finish(seconds, workers),
            dynamic_finish(seconds, workers),
            dynamic_finish(np.sort(seconds)[::-1], workers),
        )
        told = {f"{way}, predicted": ends.max() for way, ends in zip(WAYS, ways, strict=True)}
        return {**found, **told, "even share": seconds.sum() / workers}

    taken = _measured({workers: block}, rounds, seed, progress)
    parameters = {"pieces": pieces, "spread": float(spread), "threads": 1, "seed": seed}
    return taken.run("uneven", parameters)


def uneven_block(drawn: Sequence[int], ways: Sequence[str]) -> dict[str, float | list[float]]:
    """Work off the pieces in each way on this rank; return seconds, and those of each piece."""
    rank, workers = dist.get_rank(), dist.get_world_size()
    for positions in drawn:  # warm up
        attend(int(positions))
    each = []
    dist.barrier()
    for positions in drawn:
        start = time.perf_counter()
        for _ in range(REPEATS):
            attend(int(positions))
        each.append(time.perf_counter() - start)
    orders = {
        "static": range(rank, len(drawn), workers),
        "dynamic": _taken("dynamic", np.arange(len(drawn))),
        "dynamic, longest first": _taken("longest", np.argsort(drawn)[::-1]),
    }
    found: dict[str, float | list[float]] = {"pieces": each}
    for way in ways:
        dist.barrier()
        start = time.perf_counter()
        for piece in orders[way]:
            for _ in range(REPEATS):
                attend(int(drawn[piece]))
        found[way] = time.perf_counter() - start
    return found


def _taken(name: str, order: np.ndarray) -> Iterator[int]:
    """Take the next piece from a counter that all ranks share, until none is left."""
    store = dist.distributed_c10d._get_default_store()  # torch offers it under no other name
    while (taken := store.add(f"pieces, {name}", 1)) <= len(order):
        yield int(order[taken - 1])


def over_prediction(run: ScalingRun, workers: int = 2) -> dict[str, np.ndarray]:
    """Return measured over predicted seconds for each way of an `uneven_run`, shape (R,)."""
    return {
        way: run.seconds(workers, way) / run.seconds(workers, f"{way}, predicted") for way in WAYS
    }
