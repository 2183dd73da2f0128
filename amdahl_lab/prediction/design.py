"""Which jobs calibrate, and from which grid the jobs are drawn that are predicted."""

from itertools import product

import numpy as np

from amdahl_lab.prediction.jobs import Job

# Widths, depths and batches that a job to predict may have.
GRIDS = {
    "perceptron": ((128, 192, 256, 384, 512, 768), (2, 3, 4, 6), (32, 64, 128, 256, 512)),
    "convolution": ((16, 32, 48, 64), (2, 3, 4), (32, 64, 128, 256)),
    "transformer": ((48, 64, 96, 128, 192), (1, 2, 3), (8, 16, 32)),
}
ARRANGED = (("serial", "none"), ("data", "gloo"), ("data", "shared"), ("tensor", "gloo"))


def calibration_jobs() -> list[Job]:
    """Return the twelve calibration runs: small and large of each family, and each exchange."""
    gloo, shared = ({"workers": 2, "transport": name} for name in ("gloo", "shared"))
    return [
        Job("perceptron", 128, 4, 256),
        Job("perceptron", 768, 2, 64),
        Job("perceptron", 768, 3, 256, "data", **shared),
        Job("perceptron", 384, 4, 128, "tensor", **gloo),
        Job("convolution", 16, 3, 32),
        Job("convolution", 48, 3, 256),
        Job("convolution", 32, 3, 128, "data", **gloo),
        Job("transformer", 48, 2, 8),
        Job("transformer", 128, 2, 32),
        Job("transformer", 48, 2, 32, "data", **shared),
        Job("transformer", 192, 2, 16, "data", **gloo),
        Job("transformer", 96, 2, 16, "tensor", **gloo),
    ]


def drawn_jobs(count: int, rng: np.random.Generator) -> list[Job]:
    """Draw jobs from the grid, none of them a calibration run.

    Parameters
    ----------
    count : int
        Number of jobs.
    rng : numpy.random.Generator
        Source of the draw. Families, arrangements and transports take turns, sizes are even.

    Returns
    -------
    list of Job
        All different.
    """
    known = set(calibration_jobs())
    lines = []
    for family, (arrangement, transport) in product(GRIDS, ARRANGED):
        if (family, arrangement) == ("convolution", "tensor"):
            continue
        workers = 1 if arrangement == "serial" else 2
        jobs = [
            Job(family, *sizes, arrangement, workers, transport)
            for sizes in product(*GRIDS[family])
        ]
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
        Job("convolution", 48, 2, 256, "data", 4, "shared"),
        Job("transformer", 96, 2, 32, "data", **four),
        Job("transformer", 128, 2, 32, "tensor", **four),
    ]
