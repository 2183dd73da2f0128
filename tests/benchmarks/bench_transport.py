"""What the transport costs: a step over sockets and over shared memory, beside torch's DDP.

    python tests/benchmarks/bench_transport.py

A perceptron of two or four equal layers (see `amdahl_lab.parallel.perceptron`), 32 samples on each
of two ranks with one thread, plain momentum SGD. Each launch starts fresh ranks that run short
blocks of every strategy in random order; one ratio is formed for each launch, and the interval is
over the launches.
"""

import argparse
from functools import partial

import numpy as np

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.perceptron import SIZES, Perceptron, side_by_side
from amdahl_lab.parallel.strategies import DataParallel, OverlappedDataParallel
from amdahl_lab.parallel.strategies.by_torch import DataParallelByTorch
from amdahl_lab.statistics import ratio_interval
from amdahl_lab.timing import measure

CUTS = {
    "DDP": DataParallelByTorch,
    "flat bucket, gloo": DataParallel,
    "shared memory": partial(DataParallel, transport="shared"),
    "overlapped, gloo": OverlappedDataParallel,
}
TURNS = dict(zip(SIZES, (30, 15, 5, 3), strict=True))  # steps in a block: tens of milliseconds
GOALS = {
    "flat bucket, gloo": dict.fromkeys(SIZES, 1.00),
    "shared memory": dict(zip(SIZES, (0.45, 0.55, 0.80, 0.85), strict=True)),
}
BLOCKS = 6  # of each strategy in one launch


def launch(size: str, seeds: list[int]) -> dict[str, float]:
    """Run all strategies side by side in two fresh ranks."""
    seeds[0] += 1
    return run_ranks(
        side_by_side, 2, Perceptron(size), CUTS, TURNS[size], BLOCKS, seeds[0], timeout=120
    )[0]


def main(launches: int) -> None:
    """Print a row for each size and strategy."""
    seeds = [0]
    taken = measure(
        {size: partial(launch, size, seeds) for size in SIZES},
        launches,
        warmups=0,
        rng=np.random.default_rng(0),
    )
    for size, by_name in taken.items():
        base = by_name["DDP"].seconds
        print(f"{size}: DDP's step takes {1e3 * np.median(base):.2f} ms")
        for name in list(CUTS)[1:]:
            ratio = ratio_interval(by_name[name].seconds, base)
            goal = GOALS.get(name, {}).get(size)
            verdict = "no goal of its own"
            if goal is not None:
                reached = "reached" if ratio.high <= goal else "NOT REACHED"
                verdict = f"upper end at most {goal:.2f}: {reached}"
            print(f"  {name:<20} {ratio} of DDP's step   {verdict}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--launches", type=int, default=60, help="rounds, at least 2")
    main(parser.parse_args().launches)
