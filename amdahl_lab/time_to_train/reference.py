"""MLCommons' reference convergence points: samples to the target over the batch.

They are of the newest rules of each benchmark, not of the round that a series is from: recipes got
better in between.
"""

from dataclasses import dataclass

import numpy as np

from amdahl_lab.recorded.published import published_table

# Samples in what `mean_to_converge` counts: epochs of ImageNet and of the Criteo click logs, and
# tokens of sequences of 2,048.
SAMPLES = {
    "bert": 1.0,
    "dlrm_dcnv2": 4_195_197_692.0,
    "gpt3": 1 / 2048,
    "resnet": 1_281_167.0,
}
LEFT_OUT = {
    ("gpt3", 3072): (
        "the spread of its seven runs exceeds their mean: mean and spread are those of six runs "
        "like their neighbours' and one eleven times as long"
    ),
}


@dataclass(frozen=True)
class ReferencePoints:
    """Samples to the target at K batches, rising.

    Parameters
    ----------
    benchmark : str
        Short name of the benchmark.
    batches, samples : ndarray, shape (K,)
        Samples in a step, and the mean to the target.
    spreads : ndarray, shape (K,)
        Standard deviation of a run, as a share of the mean.
    left_out : mapping of int to str
        Batches that are published and not here, and why.
    """

    benchmark: str
    batches: np.ndarray
    samples: np.ndarray
    spreads: np.ndarray
    left_out: dict[int, str]


def reference_points(benchmark: str) -> ReferencePoints:
    """Return the reference points of one benchmark.

    Parameters
    ----------
    benchmark : {"bert", "dlrm_dcnv2", "gpt3", "resnet"}
        Which one. The points of the older "dlrm" are not offered: they count one epoch more than
        the runs of their own round.

    Returns
    -------
    ReferencePoints
        The points.

    Raises
    ------
    ValueError
        If there is no such benchmark.
    """
    if benchmark not in SAMPLES:
        raise ValueError(f"benchmark must be one of {', '.join(SAMPLES)}, got {benchmark!r}")
    rows = [
        (int(row["global_batch_size"]), float(row["mean_to_converge"]), float(row["sd"]))
        for row in published_table("convergence_points")
        if row["benchmark"] == benchmark
    ]
    left_out = {batch: why for (name, batch), why in LEFT_OUT.items() if name == benchmark}
    kept = sorted(row for row in rows if row[0] not in left_out)
    batches, means, sds = (np.array(column) for column in zip(*kept, strict=True))
    return ReferencePoints(
        benchmark, batches.astype(float), SAMPLES[benchmark] * means, sds / means, left_out
    )
