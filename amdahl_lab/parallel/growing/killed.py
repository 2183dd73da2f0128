"""Training that loses a process in the middle, and goes on as if it had not.

The network drops neurons at random and the batches come in a shuffled order, so that a run can
only be continued exactly if the random numbers are continued, too.
"""

import hashlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch program uses
from torch import nn

from amdahl_lab.parallel.experiments import Progress, _measured
from amdahl_lab.parallel.failures import RankError
from amdahl_lab.parallel.growing.checkpoints import latest_checkpoint, write_checkpoint
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.strategies import DataParallel
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.records import ScalingRun


@dataclass(frozen=True)
class Kill:
    """Which rank ends itself, when, and where in that step.

    Parameters
    ----------
    rank : int
        The rank.
    step : int
        Steps that are done by then.
    place : {"step", "checkpoint"}
        At the start of the next step; or in the checkpoint after `step` steps, when its bytes are
        on the disk and it has not got its name yet (then the rank is 0, which writes).
    """

    rank: int
    step: int
    place: str = "step"

    def strike(self, rank: int, step: int, place: str) -> None:
        """End this process at once if this is the moment; nothing is tidied up."""
        if (self.rank, self.step, self.place) == (rank, step, place):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass(frozen=True)
class Trained:
    """What a rank holds at the end.

    Parameters
    ----------
    fingerprint : str
        SHA-256 of the bits of parameters, optimizer, order of the data and random numbers.
    losses : dict of int to float
        Mean loss of each step that this process took.
    first : int
        Step that it started from.
    checkpoint_seconds, step_seconds : tuple of float
        Times of the checkpoints and of the steps.
    """

    fingerprint: str
    losses: dict[int, float]
    first: int
    checkpoint_seconds: tuple[float, ...]
    step_seconds: tuple[float, ...]


class Shuffled:
    """Batches of a data set in an order that is drawn anew in every epoch.

    Parameters
    ----------
    samples, batch : int
        Samples of the data set and of a batch.
    seed : int
        Seed of the orders.
    """

    def __init__(self, samples: int, batch: int, seed: int) -> None:
        self.batch = batch
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.next = torch.randperm(samples, generator=self.generator), 0

    def draw(self) -> torch.Tensor:
        """Return the numbers of the next batch's samples."""
        if self.next + self.batch > len(self.order):
            self.order = torch.randperm(len(self.order), generator=self.generator)
            self.next = 0
        self.next += self.batch
        return self.order[self.next - self.batch : self.next]

    def state(self) -> dict[str, Any]:
        """Return all that `draw` depends on."""
        return {"order": self.order, "next": self.next, "generator": self.generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.order, self.next = state["order"], state["next"]
        self.generator.set_state(state["generator"])


def train(folder: str, steps: int, every: int, kill: Kill | None = None, seed: int = 0) -> Trained:
    """Train on this rank from the latest checkpoint in `folder`, or from the start.

    Parameters
    ----------
    folder : str
        Where checkpoints are.
    steps : int
        Steps that are to be done in all.
    every : int
        Steps between two checkpoints.
    kill : Kill, optional
        A failure.
    seed : int
        Seed of everything that is drawn.
    """
    rank, workers = dist.get_rank(), dist.get_world_size()
    data = digits("small", 128, seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def loss(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    torch.manual_seed(seed + 1 + rank)  # each rank drops other neurons
    order, first = Shuffled(data.training_images, data.batch, seed), 0
    training = DataParallel(model, optimizer, loss)
    if (saved := latest_checkpoint(folder)) is not None:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        order.restore(saved["order"])
        torch.set_rng_state(saved["random"][rank])
        first = saved["step"]

    def state() -> dict[str, Any]:
        random = [torch.empty_like(torch.get_rng_state()) for _ in range(workers)]
        dist.all_gather(random, torch.get_rng_state())
        return {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "order": order.state(),
            "random": random,
        }

    images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    losses, checkpoint_seconds, step_seconds = {}, [], []
    for step in range(first, steps):
        if kill is not None:
            kill.strike(rank, step, "step")
        start = time.perf_counter()
        chosen = order.draw()
        part = torch.tensor(training.step((images[chosen], labels[chosen])))
        dist.all_reduce(part)
        losses[step] = part.item()
        step_seconds.append(time.perf_counter() - start)
        done = step + 1
        if done % every == 0:
            start = time.perf_counter()
            now = state()
            if rank == 0:
                crash = partial(kill.strike, rank, done, "checkpoint") if kill else lambda: None
                write_checkpoint(folder, done, now, crash)
            dist.barrier()  # nobody goes on before the checkpoint is there
            checkpoint_seconds.append(time.perf_counter() - start)
    return Trained(
        fingerprint(state()), losses, first, tuple(checkpoint_seconds), tuple(step_seconds)
    )


def fingerprint(state: Any) -> str:
    """Return the SHA-256 of the bits of everything in a state, in a fixed order."""
    digest = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, torch.Tensor):
            digest.update(f"{part.dtype} {tuple(part.shape)}".encode())
            digest.update(part.detach().contiguous().numpy().tobytes())
        elif isinstance(part, Mapping):
            for key in sorted(part, key=str):
                digest.update(str(key).encode())
                add(part[key])
        elif isinstance(part, list | tuple):
            for each in part:
                add(each)
        else:
            digest.update(repr(part).encode())

    add(state)
    return digest.hexdigest()


def train_on(
    workers: int, folder: str, steps: int, every: int, kill: Kill | None = None, seed: int = 0
) -> Trained | RankError:
    """Train on fresh ranks; return what rank 0 holds, or the error where a rank was lost."""
    try:
        return run_ranks(train, workers, str(folder), steps, every, kill, seed)[0]
    except RankError as lost:
        return lost


def recovery_run(
    folder: Path,
    workers: int = 2,
    rounds: int = 6,
    *,
    steps: int = 60,
    every: int = 10,
    seed: int = 0,
    progress: Progress = True,
) -> ScalingRun:
    """Time what a failure costs here: a step, a checkpoint, and a restart.

    Parameters
    ----------
    folder : Path
        An empty folder for checkpoints.
    workers : int, at least 1
        Number of workers N.
    rounds, seed, progress
        As for `experiments.digits_scaling`.
    steps, every : int
        Steps of a run, and between two checkpoints.

    Returns
    -------
    ScalingRun
        The phases "step" and "checkpoint", typical times on rank 0 of a run of `steps` steps; and
        "restart", from the call to the end of ranks that find a finished checkpoint and have no
        step left: new processes, joining, and reading.
    """
    folder = Path(folder)

    def block() -> dict[str, float]:
        for old in folder.iterdir():
            old.unlink()
        whole = run_ranks(train, workers, str(folder), steps, every, None, seed)[0]
        start = time.perf_counter()
        run_ranks(train, workers, str(folder), steps, every, None, seed)
        return {
            "step": float(np.median(whole.step_seconds)),
            "checkpoint": float(np.median(whole.checkpoint_seconds)),
            "restart": time.perf_counter() - start,
        }

    taken = _measured({workers: block}, rounds, seed, progress)
    return taken.run("recovery", {"steps": steps, "every": every, "threads": 1, "seed": seed})
