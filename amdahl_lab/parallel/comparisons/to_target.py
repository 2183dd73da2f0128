"""Seconds until a network reads enough digits right, over seeds, for several ways to train it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from amdahl_lab.parallel.experiments import Progress, _measured
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.records import ScalingRun

TARGET = 0.93  # share of unseen digits read right
BUDGET = 305  # steps; no multiple of EVERY, so that a run that ends here has not just arrived
EVERY = 10  # steps between two looks at the unseen digits, which the clock leaves out
BATCH = 64
RATES: Mapping[str, tuple[float, ...]] = {
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0),
    "RMSprop": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "Adam": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
}
TUNING_SEEDS = (1001, 1002)
VARIANTS = ("frozen", "separable")  # both trained by SGD at its tuned rate
NAMES = (*RATES, *VARIANTS)
PATIENCE = 120.0


def tuned(seeds: Sequence[int] = TUNING_SEEDS) -> dict[str, float]:
    """Choose each optimiser's learning rate from as many rates, on seeds that do not count later.

    Returns
    -------
    dict of str to float
        For each optimiser the rate with the fewest steps to the target, summed over the seeds; a
        run that does not arrive counts with the budget.
    """
    best = {}
    for name, rates in RATES.items():
        spent = [
            sum(run_ranks(arrival, 1, name, rate, seed, timeout=PATIENCE)[0][0] for seed in seeds)
            for rate in rates
        ]
        best[name] = rates[int(np.argmin(spent))]
    return best


def to_target_run(
    rates: Mapping[str, float],
    seeds: int = 12,
    *,
    target: float = TARGET,
    names: Sequence[str] = NAMES,
    progress: Progress = True,
) -> ScalingRun:
    """Train with several seeds until the target or until the budget is spent.

    Parameters
    ----------
    rates : mapping of str to float
        Learning rate of each optimiser.
    seeds : int, at least 2
        Seeds; each is a round in which every way to train is run once, in random order.
    target : float
        Share of unseen digits that must be read right.
    names : sequence of str
        Which of `NAMES`.
    progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        For each name the phases "NAME, training", seconds until the run ended, and "NAME, step",
        seconds per step, so that their ratio is the number of steps. `BUDGET` steps mean that the
        target was not reached.
    """
    numbers = {name: iter(range(seeds + 1)) for name in names}  # the first is to warm up
    blocks = {name: partial(_round, name, rates, numbers[name], target) for name in names}
    taken = _measured(blocks, seeds, 0, progress)
    told = {f"rate, {name}": rate for name, rate in rates.items()}
    fixed = {
        "threads": 1,
        "target": target,
        "budget": BUDGET,
        "batch": BATCH,
        "every": EVERY,
        **told,
    }
    phases: dict[str, object] = {}
    for name in names:
        for phase, values in taken.phases[name].items():
            phases[f"{name}, {phase}"] = values
    merged = type(taken)(
        {1: phases},
        taken.machine,
        taken.started,
        taken.load_before,
        taken.load_after,
        taken.rounds_planned,
    )
    return merged.run("to_target", fixed)


def steps_of(run: ScalingRun, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return for each seed the steps that were made, and whether the target was reached."""
    steps = np.rint(run.seconds(1, f"{name}, training") / run.seconds(1, f"{name}, step"))
    return steps.astype(int), steps < run.parameters["budget"]


def arrival(name: str, rate: float, seed: int, target: float = TARGET) -> tuple[int, float]:
    """Train on this rank until the target; return the steps and the seconds that they took."""
    workload = digits("medium", BATCH, seed)
    model = workload.model()
    if name == "separable":
        model = _separable(model, seed)
    if name == "frozen":
        for layer in list(model)[:-1]:
            layer.requires_grad_(False)
    wanted = [p for p in model.parameters() if p.requires_grad]
    optimizer = {
        "RMSprop": partial(torch.optim.RMSprop, lr=rate),
        "Adam": partial(torch.optim.Adam, lr=rate),
    }.get(name, partial(torch.optim.SGD, lr=rate, momentum=0.9))(wanted)
    spent = 0.0
    for number in range(1, BUDGET + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        workload.loss(model, workload.load(number)).backward()
        optimizer.step()
        spent += time.perf_counter() - start
        if number % EVERY == 0 and workload.accuracy(model) >= target:
            return number, spent
    return BUDGET, spent


def parameters_of(name: str) -> int:
    """Return how many parameters the network has."""
    model = digits("medium").model()
    return sum(
        p.numel() for p in (_separable(model, 0) if name == "separable" else model).parameters()
    )


def _round(
    name: str, rates: Mapping[str, float], numbers: Iterator[int], target: float
) -> dict[str, float]:
    rate = rates.get(name, rates["SGD"])
    arguments = (name, rate, next(numbers), target)
    ((steps, spent),) = run_ranks(arrival, 1, *arguments, timeout=PATIENCE)
    return {"training": spent, "step": spent / steps}


def _separable(model: nn.Sequential, seed: int) -> nn.Sequential:
    """Replace the second convolution, which has most of the convolutions' work."""
    layers = list(model)
    place = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d))
    old = layers[place]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers[place] = nn.Sequential(
            nn.Conv2d(old.in_channels, old.in_channels, 3, padding=1, groups=old.in_channels),
            nn.Conv2d(old.in_channels, old.out_channels, 1),
        )
    return nn.Sequential(*layers)
