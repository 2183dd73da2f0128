"""Starting ranks, and the cost of the harness, each figure beside its goal.

    python tests/benchmarks/bench_ranks.py

Takes about three minutes. The ways to start two processes take turns in random order, so that their
ratios are of the same moments. loky is the one that joblib brings with scikit-learn.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from figure import Figure

ROUNDS = 12
CALLS = 5  # of run_ranks in one round
PAIRS = 8_000
STEP = 2.5e-3  # seconds: the step that the goal is a share of


def meet() -> float:
    """Meet the other rank: what each way of starting must get done."""
    import torch
    import torch.distributed as dist

    total = torch.tensor(float(dist.get_rank()))
    dist.all_reduce(total)
    return total.item()


def join_and_meet(rank: int, file: str) -> float:
    """Do by hand what `run_ranks` does for its caller: one thread, a group, its end."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    try:
        return meet()
    finally:
        dist.destroy_process_group()


def by_run_ranks(file: str) -> None:
    from amdahl_lab.parallel import run_ranks

    assert run_ranks(meet, 2) == [1.0, 1.0]


def by_spawn(file: str) -> None:
    import torch.multiprocessing as mp

    mp.spawn(join_and_meet, args=(file,), nprocs=2)


def by_loky(file: str) -> None:
    from joblib.externals.loky import ProcessPoolExecutor

    with ProcessPoolExecutor(max_workers=2) as pool:
        assert list(pool.map(join_and_meet, (0, 1), (file, file))) == [1.0, 1.0]


def seconds(start: Callable[[str], None], calls: int = 1) -> list[float]:
    """Time each of several calls, with a rendezvous file of its own."""
    taken = []
    for _ in range(calls):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            start(str(Path(folder) / "rendezvous"))
            taken.append(time.perf_counter() - begin)
    return taken


def starting() -> list[Figure]:
    from amdahl_lab.statistics import ratio_interval

    ways = {by_run_ranks: CALLS, by_spawn: 1, by_loky: 1}
    first = seconds(by_run_ranks)[0]
    print(f"  (the first call, which starts the server: {first:.2f} s)")
    for way in ways:
        seconds(way)
    taken: dict[Callable, list[list[float]]] = {way: [] for way in ways}
    rng = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for way in rng.permutation(list(ways)):
            taken[way].append(seconds(way, ways[way]))
    medians = {way: np.median(rounds, axis=1) for way, rounds in taken.items()}
    ours = float(np.median(taken[by_run_ranks]))
    figures = [Figure("two ranks start, meet and return, median", ours, 0.25, "s", True)]
    for name, way in (("torch.multiprocessing.spawn", by_spawn), ("loky", by_loky)):
        ratio = ratio_interval(medians[way], medians[by_run_ranks])
        print(f"  ({name}: {np.median(medians[way]):.2f} s; over run_ranks {ratio})")
        figures.append(Figure(f"{name} over run_ranks, lower end", ratio.low, 10, "times"))
    return figures


def harness() -> list[Figure]:
    from amdahl_lab.parallel.overhead import harness_seconds

    added, step = harness_seconds(PAIRS)
    low, estimate, high = (1e6 * value for value in (added.low, added.estimate, added.high))
    print(
        f"  (a step takes {1e3 * step:.2f} ms; the harness adds {estimate:.2f} "
        f"({added.level:.0%} interval {low:.2f} to {high:.2f}) microseconds)"
    )
    farther = 100 * max(added.high, -added.low) / STEP
    return [Figure("harness over bare loop, farther end from 0", farther, 0.1, "% of 2.5 ms", True)]


def figures() -> list[Figure]:
    """Return every figure of the ranks and the harness."""
    return [figure for part in (starting, harness) for figure in part()]


if __name__ == "__main__":  # the spawned processes read this file, too
    for figure in figures():
        print(figure)
