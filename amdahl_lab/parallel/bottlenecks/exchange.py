"""The exchange of gradients, hidden behind the backward pass or made smaller."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
import torch.distributed as dist

from amdahl_lab.parallel.blocks import train_block
from amdahl_lab.parallel.experiments import Progress, _measured, _slowest
from amdahl_lab.parallel.perceptron import side_by_side
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel, OverlappedDataParallel
from amdahl_lab.parallel.strategies.by_torch import DataParallelByTorch
from amdahl_lab.parallel.strategies.compression import bf16, power_sgd
from amdahl_lab.parallel.workloads import Workload, digits
from amdahl_lab.records import ScalingRun

COMPRESSIONS = {"float32": None, "bf16": bf16, "PowerSGD": power_sgd}
LOSS_STEPS = 60
ONE_BUCKET = 1 << 26  # bytes: PowerSGD on gloo may not have two buckets on their way


def exchange_run(
    size: str = "wide",
    workers: int = 2,
    rounds: int = 6,
    *,
    batch: int = 128,
    turns: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time the exchange of gradients after the backward pass, during it, and compressed.

    Parameters
    ----------
    size, workers, rounds, batch, seed, progress
        As for `experiments.communication_share`.
    turns : int, at least 1
        Steps in one block.

    Returns
    -------
    ScalingRun
        Seconds per step. "compute" and "communication" as of `experiments.training_scaling`;
        "after" and "overlapped", by `DataParallel` and `OverlappedDataParallel`; and torch's own
        data parallelism by the names in `COMPRESSIONS`. Its parameters hold the bytes that a
        rank hands over in one step.
    """
    workload = digits(size, batch, seed)
    taken = _measured(
        {workers: partial(_exchange, workers, workload, turns, seed)}, rounds, seed, progress
    )
    sent = {f"bytes_{name}": count for name, count in bytes_sent(workload, workers).items()}
    return taken.run(
        "exchange", {**workload.configuration, "turns": turns, "threads": 1, "seed": seed, **sent}
    )


def _exchange(workers: int, workload: Workload, turns: int, seed: int) -> Mapping[str, float]:
    cuts = {"after": DataParallel, "overlapped": OverlappedDataParallel, **_compressed()}
    steps = run_ranks(side_by_side, workers, workload, cuts, turns, 3, seed)[0]
    phases = _slowest(workers, 1, train_block, workload, turns)
    return {**steps, "compute": phases["compute"], "communication": phases["communication"]}


def _compressed() -> dict[str, partial]:
    return {
        name: partial(DataParallelByTorch, bucket_bytes=ONE_BUCKET, compression=hook)
        for name, hook in COMPRESSIONS.items()
    }


def bytes_sent(workload: Workload, workers: int = 2) -> dict[str, int]:
    """Count the bytes that one rank hands over in one step under each of `COMPRESSIONS`."""
    return dict(run_ranks(_bytes, workers, workload)[0])


def _bytes(workload: Workload) -> list[tuple[str, int]]:
    found = []
    for name, cut in _compressed().items():
        model = workload.model()
        training = cut(model, workload.optimizer(model), workload.loss)
        for number in range(4):  # the third step is the first that PowerSGD compresses
            before = training.traffic.bytes
            step = training.watched_step if name == "float32" else training.step
            step(workload.load(number))
        found.append((name, training.traffic.bytes - before))
    return found


def losses(
    size: str = "wide", workers: int = 2, steps: int = LOSS_STEPS, *, batch: int = 128
) -> dict[str, np.ndarray]:
    """Train under each of `COMPRESSIONS` and return the global batch's mean loss in each step.

    Parameters
    ----------
    size, workers, batch
        As for `exchange_run`.
    steps : int, at least 1
        Steps.

    Returns
    -------
    dict of str to ndarray, shape (steps,)
    """
    found = run_ranks(_losses, workers, digits(size, batch), steps, seed=0)[0]
    return {name: np.array(row) for name, row in found.items()}


def _losses(workload: Workload, steps: int) -> dict[str, list[float]]:
    found = {}
    for name, cut in _compressed().items():
        model = workload.model()
        training = cut(model, workload.optimizer(model), workload.loss)
        row = torch.tensor([training.step(workload.load(number)) for number in range(steps)])
        dist.all_reduce(row)
        found[name] = row.tolist()
    return found
