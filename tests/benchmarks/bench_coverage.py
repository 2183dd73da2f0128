"""How often the intervals hold the truth, and how wide they are, beside two usual ways.

    python tests/benchmarks/bench_coverage.py

Each cell makes runs whose serial fraction is known: times by the law, log-normal errors. Ours gets
10,000 trials, so that the trials' own noise, 0.2 points, is small beside the goal; the first
2,000 of them also go to scipy's curve_fit (a fit to the speedups of all rounds, Student's t) and
to scipy's bootstrap (paired rounds, BCa, our estimate).
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402
import warnings  # noqa: E402
from dataclasses import dataclass  # noqa: E402

import numpy as np  # noqa: E402
from scipy.optimize import curve_fit  # noqa: E402
from scipy.special import stdtrit  # noqa: E402
from scipy.stats import DegenerateDataWarning, bootstrap  # noqa: E402

from amdahl_lab.fitting import rivals  # noqa: E402
from amdahl_lab.fitting.curves import working_weights  # noqa: E402
from amdahl_lab.statistics import round_draws  # noqa: E402

TRIALS, SHARED, DRAWS, CHUNK = 10_000, 2_000, 1_000, 100
TAILS = (0.025, 0.975)
SEED = 1967
WIDTHS = {((1, 2, 4), 10, 0.1): 0.037, ((1, 2, 4, 8), 10, 0.1): 0.024}


@dataclass(frozen=True)
class Cell:
    """Runs of one kind: what is true, how often it is measured and how the times stray."""

    workers: tuple[int, ...]
    rounds: int
    s: float
    spread: tuple[float, ...]
    shared: float = 0.0  # spread of what slows a whole round
    communication: float = 0.0  # of each further worker, as a share of the one-worker time

    def truth(self) -> np.ndarray:
        N = np.array(self.workers, dtype=float)
        return self.s + (1 - self.s) / N

    def logs(self, trials: int, rng: np.random.Generator) -> np.ndarray:
        """Make log times of shape (trials, R, K), or (trials, R, 2 K) with the phase compute."""
        N = np.array(self.workers, dtype=float)
        shape = (trials, self.rounds, len(N))
        common = self.shared * rng.standard_normal((*shape[:2], 1))
        step = np.log(self.truth() + self.communication * (N - 1)) + common
        step = step + np.array(self.spread) * rng.standard_normal(shape)
        if not self.communication:
            return step
        compute = np.log(self.truth()) + common
        compute = compute + np.array(self.spread) * rng.standard_normal(shape)
        return np.concatenate([step, compute], axis=-1)

    def __str__(self) -> str:
        kind = f", round effect {self.shared:.0%}" if self.shared else ""
        percent = "/".join(f"{100 * spread:.3g}" for spread in self.spread)
        return (
            f"{{{','.join(map(str, self.workers))}}} R={self.rounds:<2} s={self.s:<4} "
            f"{percent}%{kind}"
        )


def rising(count: int) -> tuple[float, ...]:
    """Spreads of 2%, 4%, 6%, 8%, one for each N."""
    return tuple(0.02 * (1 + number) for number in range(count))


def cells() -> list[Cell]:
    """24 cells as the goal asks for them, and others that the weights were not made for."""
    sets = ((1, 2), (1, 2, 4), (1, 2, 4, 8))
    asked = [
        Cell(workers, rounds, s, rising(len(workers)))
        for workers in sets
        for rounds in (5, 10)
        for s in (0.01, 0.03, 0.1, 0.3)
    ]
    together = [
        Cell(workers, rounds, 0.1, rising(len(workers)), shared=0.1)
        for workers in sets
        for rounds in (5, 10)
    ]
    flat = [Cell(sets[2], rounds, 0.1, (0.05,) * 4) for rounds in (5, 10)]
    falling = [Cell(sets[2], rounds, 0.1, rising(4)[::-1]) for rounds in (5, 10)]
    return asked + together + flat + falling


def ours(
    cell: Cell, logs: np.ndarray, rng: np.random.Generator, curve: rivals.Curve = rivals.AMDAHL
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of `fitting.fit_amdahl` for every trial at once: lower and upper ends."""
    N = np.array(cell.workers, dtype=float)
    ends = [
        np.quantile(
            curve.refit(round_draws(some, DRAWS, rng), N, working_weights(N))[0]["serial_fraction"],
            TAILS,
            axis=-1,
            method="weibull",
        )
        for some in np.array_split(logs, max(1, len(logs) // CHUNK))
    ]
    low, high = np.concatenate(ends, axis=-1)
    return low, high


def by_curve_fit(cell: Cell, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What most people do: speedups, least squares, and the covariance that comes with it."""
    N = np.repeat([cell.workers[1:]], cell.rounds, axis=0).ravel().astype(float)
    freedom = N.size - 1
    half = stdtrit(freedom, TAILS[1])
    ends = []
    for trial in logs:
        S = np.exp(trial[:, :1] - trial[:, 1:]).ravel()
        (s,), covariance = curve_fit(lambda n, s: 1 / (s + (1 - s) / n), N, S, p0=[0.1])
        ends.append((s - half * covariance[0, 0] ** 0.5, s + half * covariance[0, 0] ** 0.5))
    return tuple(np.clip(np.array(ends).T, 0, 1))


def by_bootstrap(
    cell: Cell, logs: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Resampled rounds, BCa, around the same estimate as ours."""
    N = np.array(cell.workers, dtype=float)
    weights = working_weights(N)

    def statistic(*columns: np.ndarray, axis: int = -1) -> np.ndarray:
        means = np.stack([column.mean(axis=axis) for column in columns], axis=-1)
        return rivals.AMDAHL.refit(means, N, weights)[0]["serial_fraction"]

    ends = []
    for some in np.array_split(logs, max(1, len(logs) // CHUNK)):
        # A bootstrap distribution all of it at 0 has no BCa interval: it gives NaN, a miss.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", DegenerateDataWarning)
            found = bootstrap(
                tuple(some[..., k] for k in range(len(N))),
                statistic,
                n_resamples=DRAWS - 1,
                paired=True,
                vectorized=True,
                axis=-1,
                rng=rng,
            )
        ends.append(found.confidence_interval)
    return tuple(np.concatenate([np.array(end) for end in ends], axis=-1))


def share(ends: tuple[np.ndarray, np.ndarray], s: float) -> float:
    """Per cent of the intervals that hold the truth."""
    low, high = ends
    return 100 * float(np.mean((low <= s) & (s <= high)))


def median_width(ends: tuple[np.ndarray, np.ndarray]) -> float:
    """Median distance between the ends, of the intervals that there are."""
    return float(np.nanmedian(ends[1] - ends[0]))


def verdict(well: bool) -> str:
    return "reached" if well else "NOT REACHED"


def show(cell: Cell, rng: np.random.Generator) -> None:
    """Run one cell and print a row."""
    logs = cell.logs(TRIALS, rng)
    mine = ours(cell, logs, rng)
    few = tuple(end[:SHARED] for end in mine)
    fitted, resampled = by_curve_fit(cell, logs[:SHARED]), by_bootstrap(cell, logs[:SHARED], rng)
    cover, width = share(mine, cell.s), median_width(mine)
    goal = WIDTHS.get((cell.workers, cell.rounds, cell.s)) if not cell.shared else None
    goal = goal if cell.spread == rising(len(cell.workers)) else None
    well = 94 <= cover <= 97 and (goal is None or width <= goal)
    rivals_figures = " ".join(
        f"{share(ends, cell.s):6.1f} {median_width(ends):7.4f}" for ends in (fitted, resampled)
    )
    print(
        f"{cell!s:<48} {cover:5.1f} {share(few, cell.s):6.1f} {width:7.4f} "
        f"{'' if goal is None else goal:>5}  {rivals_figures}  {verdict(well)}",
        flush=True,
    )


def show_communication(rounds: int, rng: np.random.Generator) -> None:
    """0.5% of communication for each further worker: the plain fit, and that of the phases."""
    cell = Cell((1, 2, 4, 8), rounds, 0.1, rising(4), communication=0.005)
    logs = cell.logs(TRIALS, rng)
    phases = ours(cell, logs, rng, rivals.WITH_COMMUNICATION)
    plain = ours(cell, logs[..., :4], rng)
    cover, width = share(phases, cell.s), median_width(phases)
    well = cover >= 93 and (rounds < 10 or width <= 0.030)
    print(
        f"{cell!s:<48} {cover:5.1f} at least 93, width {width:.4f}"
        f"{' at most 0.030' if rounds == 10 else ''}; the plain fit holds the truth in "
        f"{share(plain, cell.s):.1f}%  {verdict(well)}",
        flush=True,
    )


def show_other_laws(rng: np.random.Generator) -> None:
    """How often the other laws' intervals hold each parameter, at 5 rounds and {1,2,4,8}."""
    N, rounds = np.array([1.0, 2.0, 4.0, 8.0]), 5
    usl, efficiency = rivals.USL, rivals.CONSTANT_EFFICIENCY
    for curve, truth in (
        (usl, {"contention": 0.1, "coherency": 0.003}),
        (usl, {"contention": 0.05, "coherency": 0.0}),
        (rivals.GUSTAFSON, {"scaled_serial_fraction": 0.1}),
        (efficiency, {"efficiency": 0.8}),
    ):
        errors = np.array(rising(4)) * rng.standard_normal((SHARED, rounds, 4))
        held = dict.fromkeys(truth, 0.0)
        for some in np.array_split(errors - np.log(curve.speedup(N, **truth)), SHARED // CHUNK):
            drawn, _ = (curve.free or curve.refit)(
                round_draws(some, DRAWS, rng), N, working_weights(N)
            )
            for name, value in truth.items():
                low, high = np.quantile(drawn[name], TAILS, axis=-1, method="weibull")
                # The ends are kept within the law's bounds, which takes nothing from a truth there.
                held[name] += 100 * np.sum((low <= value) & (value <= high)) / SHARED
        for name, cover in held.items():
            what = f"{curve.name}, {name} {truth[name]}"
            print(f"{what:<48} {cover:5.1f} in 94 to 97  {verdict(94 <= cover <= 97)}")


def main() -> None:
    start, rng = time.perf_counter(), np.random.default_rng(SEED)
    print(
        f"Coverage in per cent (goal: 94 to 97) and median width of 95% intervals of s;\n"
        f"ours over {TRIALS:,} trials and over the first {SHARED:,}, which the rivals get too\n"
    )
    print(
        f"{'workers, rounds, truth, spread':<48} {'ours':>5} {'2,000':>6} {'width':>7} "
        f"{'goal':>5}  {'curve_fit':>14} {'bootstrap':>14}"
    )
    for cell in cells():
        show(cell, rng)
    print("\nWith 0.5% of the one-worker time of communication for each further worker")
    for rounds in (5, 10):
        show_communication(rounds, rng)
    print(f"\nThe other laws, {SHARED:,} trials")
    show_other_laws(rng)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
