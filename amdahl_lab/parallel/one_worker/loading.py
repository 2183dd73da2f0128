"""A training step that waits for its input: images made one by one, by 0, 1, 2 and more loaders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.workloads import Digits, digits
from amdahl_lab.records import ScalingRun

WARM_STEPS = 6  # as many as empty the batches that loaders make before the first is asked for
AHEAD = 2  # batches that each loader makes ahead
STEPS = 12
STRENGTH = 4.0  # of the displacements, before they are smoothed


@dataclass(frozen=True)
class Elastic(Dataset):
    """Digits that are bent, cleaned and normalised one by one whenever they are asked for.

    Parameters
    ----------
    workload : Digits
        The images.
    bend : bool
        Whether each image is bent by a random field of displacements; cleaned and normalised it
        is in any case.

    References
    ----------
    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
    Visual Document Analysis", ICDAR 2003, doi:10.1109/ICDAR.2003.1227801: elastic distortions.
    """

    workload: Digits
    bend: bool = True

    def __len__(self) -> int:
        return self.workload.training_images

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        image = self.workload.images[place].reshape(8, 8)
        if self.bend:
            image = _bent(image, np.random.default_rng([self.workload.seed, place]))
        clean = (image - image.mean()) / (image.std() + 1e-6)
        return torch.from_numpy(clean.astype(np.float32).ravel()), int(self.workload.labels[place])


def input_pipeline(
    loaders: Sequence[int] = (0, 1, 2),
    rounds: int = 5,
    *,
    size: str = "medium",
    batch: int = 64,
    bend: bool = True,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Train one network while its batches are made by different numbers of loaders.

    Parameters
    ----------
    loaders : sequence of int, each at least 0
        Processes that make batches ahead; with none, the training process makes its own.
    rounds, seed, progress
        As for `experiments.digits_scaling`; each round runs every number of loaders once.
    size, batch
        The network and the images in a batch; see `workloads.digits`.
    bend : bool
        Whether each image is bent, which is most of the work of making it.

    Returns
    -------
    ScalingRun
        One worker with one thread. For each number k of loaders the phases "step, k loaders", the
        whole step, and "wait, k loaders", the part until the batch is there.

    Raises
    ------
    ValueError
        If a number of loaders is below 0 or occurs twice.
    """
    counts = list(loaders)
    if not counts or len(set(counts)) < len(counts) or min(counts) < 0:
        raise ValueError(f"loaders must be different whole numbers, at least 0, got {counts}")
    workload = digits(size, batch, seed)
    blocks = {
        count: partial(_slowest, 1, 1, pipeline_block, Elastic(workload, bend), count)
        for count in counts
    }
    taken = _measured(blocks, rounds, seed, progress)
    phases = {
        f"{phase}, {count} loaders": values
        for count in counts
        for phase, values in taken.phases[count].items()
    }
    parameters = {
        **workload.configuration,
        "bend": bend,
        "steps": STEPS,
        "threads": 1,
        "seed": seed,
    }
    return replace(taken, phases={1: phases}).run("input_pipeline", parameters)


def pipeline_block(samples: Elastic, loaders: int) -> dict[str, float]:
    """Train on this rank and time the step and, in it, the wait for the batch."""
    workload = samples.workload
    model = workload.model()
    optimizer = workload.optimizer(model)
    batches = iter(
        DataLoader(
            samples,
            workload.batch,
            sampler=RandomSampler(
                samples, replacement=True, num_samples=workload.batch * (WARM_STEPS + STEPS)
            ),
            num_workers=loaders,
            prefetch_factor=AHEAD if loaders else None,
        )
    )
    wait = 0.0
    for number in range(WARM_STEPS + STEPS):
        if number == WARM_STEPS:
            start, wait = perf_counter(), 0.0
        asked = perf_counter()
        batch = next(batches)
        wait += perf_counter() - asked
        optimizer.zero_grad()
        workload.loss(model, batch).backward()
        optimizer.step()
    step = (perf_counter() - start) / STEPS
    del batches  # ends the loaders
    return {"step": step, "wait": wait / STEPS}


def _bent(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move every pixel by a smooth random field, a pixel and a half at most or so."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    field = gaussian_filter(rng.uniform(-1, 1, (2, *image.shape)), sigma=(0, 2, 2))
    grid = np.mgrid[: image.shape[0], : image.shape[1]] + STRENGTH * field
    return map_coordinates(image, grid, order=3, mode="nearest").clip(0, 1)
