"""Which jobs calibrate, and from which grid the jobs are drawn that are predicted."""

from itertools import product

import numpy as np

from amdahl_lab.prediction.jobs import Job

# Widths, depths and batches that a job to predict may have.
GRIDS = {
    "perceptron": ((128, 192, 256, 384, 512, 768), (2, 3, 4, 6), (32, 64, 128, 256, 512)),
    "convolution": ((16, 32, 48, 64), (2, 3, 4), (32, 64, 128, 256)),
    "transformer": ((48, 64, 96, 128, 192), (1, 2, 3, 4), (8, 16, 32, 64)),
}
PEER = {"workers": 2, "transport": "gloo"}


def calibration_jobs() -> list[Job]:
    """Return the twelve calibration runs: small and large of each family, and each exchange."""
    return [
        Job("perceptron", 128, 6, 512),
        Job("perceptron", 768, 2, 32),
        Job("perceptron", 768, 3, 256, "data", **PEER),
        Job("perceptron", 384, 5, 256, "tensor", **PEER),
        Job("convolution", 16, 4, 64),
        Job("convolution", 48, 3, 256),
        Job("convolution", 32, 4, 128, "data", **PEER),
        Job("transformer", 48, 4, 8),
        Job("transformer", 192, 1, 16),
        Job("transformer", 96, 3, 64),
        Job("transformer", 128, 2, 32, "data", **PEER),
        Job("transformer", 64, 3, 32, "tensor", **PEER),
    ]


def drawn_jobs(count: int, rng: np.random.Generator) -> list[Job]:
    """Draw jobs from the grid, none of them a calibration run.

    Parameters
    ----------
    count : int
        Number of jobs.
    rng : numpy.random.Generator
        Source of the draw. Families and arrangements take turns; sizes are drawn evenly.

    Returns
    -------
    list of Job
        All different.
    """
    kinds = [
        (family, arrangement)
        for family in GRIDS
        for arrangement in ("serial", "data", "tensor")
        if (family, arrangement) != ("convolution", "tensor")
    ]
    known = set(calibration_jobs())
    lines = []
    for family, arrangement in kinds:
        peer = {} if arrangement == "serial" else PEER
        jobs = [Job(family, *sizes, arrangement, **peer) for sizes in product(*GRIDS[family])]
        jobs = [job for job in jobs if job not in known]
        lines.append([jobs[place] for place in rng.permutation(len(jobs))])
    turns = [job for turn in zip(*lines, strict=False) for job in turn]
    return turns[:count]


def oversubscribed_jobs() -> list[Job]:
    """Return jobs with four workers, of each family and arrangement, for a machine of two cores."""
    four = {"workers": 4, "transport": "gloo"}
    return [
        Job("perceptron", 384, 3, 256, "data", **four),
        Job("perceptron", 256, 4, 512, "tensor", **four),
        Job("convolution", 32, 3, 128, "data", **four),
        Job("convolution", 48, 2, 256, "data", **four),
        Job("transformer", 96, 2, 32, "data", **four),
        Job("transformer", 128, 2, 32, "tensor", **four),
    ]
