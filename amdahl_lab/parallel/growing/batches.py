"""Steps and samples that training takes to a target, over the batch and several seeds.

A network with one hidden layer reads the handwritten digits. All seeds train side by side in one
batched product, each with parameters and samples of its own. A batch has its own learning rate,
the best of a list on other seeds than those that are counted: with one rate for all, the largest
batch would only show that its rate was too small.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses

from amdahl_lab.machine import load_average, this_machine
from amdahl_lab.parallel.experiments import Progress, _bar
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.records import ScalingRun, Timing

HIDDEN = 32
TARGET = 0.2  # mean loss on the images that are looked at after each step
LOOKED_AT = 256
TRIAL_SEEDS = 8
BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024)
RATES = (0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5)
MUCH_SLOWER = 1.5  # a rate that takes so many times the steps of another is not waited for
PATIENCE = 300.0
MOST_STEPS = 4_000


def steps_to_loss(
    batch: int, rates: Sequence[float], seeds: Sequence[int], target: float = TARGET
) -> np.ndarray:
    """Train until the loss on 256 fixed images is at the target; return the steps it took.

    Parameters
    ----------
    batch : int, at least 1
        Images of one step, drawn with replacement.
    rates : sequence of float, shape (L,)
        Learning rates of plain gradient descent.
    seeds : sequence of int, shape (R,)
        Seeds of parameters and samples.
    target : float
        Mean cross entropy to be reached.

    Returns
    -------
    ndarray, shape (L, R)
        Steps; inf where the loss is not finite, or half as many steps more than those in which
        another rate brought all seeds to the target were not enough.
    """
    images, labels = _training_images()
    looked, answers = images[:LOOKED_AT], labels[:LOOKED_AT]
    runs = [(rate, seed) for rate in rates for seed in seeds]
    samples = [torch.Generator().manual_seed(1000 + seed) for seed in seeds]
    first = {seed: _parameters(seed) for seed in seeds}
    weights = [torch.stack([first[seed][k] for _, seed in runs]) for k in range(4)]
    for each in weights:
        each.requires_grad_(True)
    rate = torch.tensor([r for r, _ in runs])
    found, last = np.full(len(runs), np.inf), MOST_STEPS
    for step in range(1, MOST_STEPS + 1):
        drawn = torch.stack([torch.randint(len(images), (batch,), generator=g) for g in samples])
        chosen = drawn.repeat(len(rates), 1)
        losses = _losses(weights, images[chosen], labels[chosen])
        gradients = torch.autograd.grad(losses.sum(), weights)
        with torch.no_grad():
            for each, gradient in zip(weights, gradients, strict=True):
                each -= rate.view(-1, *[1] * (each.dim() - 1)) * gradient
            many = looked.expand(len(runs), -1, -1)
            now = _losses(weights, many, answers.expand(len(runs), -1)).numpy()
        found[(now <= target) & np.isinf(found)] = step
        ended = np.isfinite(found) | ~np.isfinite(now)
        reached = np.isfinite(found).reshape(len(rates), len(seeds)).all(axis=1)
        if reached.any():
            last = min(last, int(MUCH_SLOWER * step))
        if step >= last or ended.all():
            break
    return found.reshape(len(rates), len(seeds))


def batch_study(
    batches: Sequence[int] = BATCHES,
    seeds: int = 8,
    *,
    rates: Mapping[int, float] | None = None,
    target: float = TARGET,
    progress: Progress = True,
) -> ScalingRun:
    """Measure steps to the target at each batch.

    Parameters
    ----------
    batches : sequence of int
        Batches B.
    seeds : int, at least 2
        Seeds that are counted.
    rates : mapping of int to float, optional
        A learning rate for each batch; found on eight other seeds where not given.
    target : float
        Loss to be reached.
    progress
        As for `experiments.digits_scaling`.

    Returns
    -------
    ScalingRun
        One worker; a round is a seed. The phases "batch B" hold **steps** in place of seconds;
        the parameters "rate, batch B" the learning rates.

    Raises
    ------
    ValueError
        If there are fewer than two seeds or a seed does not reach the target.
    """
    if seeds < 2:
        raise ValueError(f"seeds must be at least 2, got {seeds!r}")
    started, load = datetime.now(UTC).isoformat(timespec="seconds"), load_average()
    wrap = progress if callable(progress) else _bar if progress else list
    timings, chosen = [], {}
    for batch in wrap(list(batches)):
        given = rates[batch] if rates else None
        rate, steps = run_ranks(_measured_batch, 1, batch, given, seeds, target, timeout=PATIENCE)[
            0
        ]
        chosen[f"rate, batch {batch}"] = rate
        timings.append(Timing(1, f"batch {batch}", tuple(steps)))
    return ScalingRun(
        "critical_batch",
        this_machine(),
        tuple(timings),
        {"hidden": HIDDEN, "target": target, "threads": 1, **chosen},
        started,
        load,
        load_average(),
        seeds,
    )


def steps_by_batch(run: ScalingRun) -> dict[int, np.ndarray]:
    """Return the steps of a `batch_study` by batch, as `fitting.fit_critical_batch` takes them."""
    return {int(phase.split()[1]): run.seconds(1, phase) for phase in run.phases}


def rates_by_batch(run: ScalingRun) -> dict[int, float]:
    """Return the learning rates of a `batch_study` by batch."""
    return {batch: float(run.parameters[f"rate, batch {batch}"]) for batch in steps_by_batch(run)}


def _measured_batch(
    batch: int, rate: float | None, seeds: int, target: float
) -> tuple[float, list[float]]:
    if rate is None:
        tried = steps_to_loss(batch, RATES, range(100, 100 + TRIAL_SEEDS), target)
        rate = RATES[int(np.argmin(tried.mean(axis=1)))]
    return rate, _all_seeds(batch, rate, seeds, target)


def _all_seeds(batch: int, rate: float, seeds: int, target: float) -> list[float]:
    steps = steps_to_loss(batch, [rate], range(seeds), target)[0]
    if not np.isfinite(steps).all():
        raise ValueError(f"batch {batch}: a seed did not reach the target with rate {rate}")
    return steps.tolist()


def _training_images() -> tuple[torch.Tensor, torch.Tensor]:
    data = digits("small", 1)
    known = data.training_images
    return torch.from_numpy(data.images[:known]), torch.from_numpy(data.labels[:known])


def _parameters(seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(64, HIDDEN, generator=generator) * (2 / 64) ** 0.5
    second = torch.randn(HIDDEN, 10, generator=generator) * (2 / HIDDEN) ** 0.5
    return first, torch.zeros(1, HIDDEN), second, torch.zeros(1, 10)


def _losses(
    weights: Sequence[torch.Tensor], images: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Return each run's mean loss on its own images, shape (runs,)."""
    first, bias, second, shift = weights
    scores = torch.relu(images @ first + bias) @ second + shift
    each = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(dim=1)
