"""Plans: how a workload is cut over the workers, one plan or columns of many."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab.demand.transformer import RECOMPUTE

SCHEDULES = ("gpipe", "1f1b")  # with more than one chunk, 1f1b is the interleaved schedule


@dataclass(frozen=True)
class Plan:
    """How one training step is cut and ordered.

    Parameters
    ----------
    global_batch : int
        Samples of one step over all workers.
    micro_batch : int
        Samples that a worker takes at once.
    data, tensor, pipeline : int
        Workers along each axis; their product is the number of workers.
    chunks : int
        Parts of the model on each pipeline stage; more than one is the interleaved schedule.
    sharding : int
        What the data-parallel workers cut among themselves, ZeRO's stage: 0 nothing, 1 optimiser
        state, 2 gradients too, 3 parameters too.
    recompute : {"none", "selective", "full"}
        What the backward pass computes again.
    sequence_parallel : bool
        Whether tensor parallelism cuts along the sequence what it would leave whole.
    schedule : {"gpipe", "1f1b"}
        Order of forward and backward passes in a pipeline.
    overlap : float, 0 to 1
        Share of the backward pass under which data-parallel communication can hide.
    """

    global_batch: int
    micro_batch: int = 1
    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    chunks: int = 1
    sharding: int = 0
    recompute: str = "none"
    sequence_parallel: bool = False
    schedule: str = "1f1b"
    overlap: float = 0.0

    def __post_init__(self) -> None:
        Plans.of(self)  # one place knows what is allowed

    @property
    def workers(self) -> int:
        """Workers that the plan needs."""
        return self.data * self.tensor * self.pipeline

    @property
    def micro_batches(self) -> int:
        """Micro-batches that each pipeline works through in a step."""
        return self.global_batch // (self.micro_batch * self.data)


@dataclass(frozen=True)
class Plans:
    """Columns of plans: each field is an array, or one number for all of them.

    Fields are those of `Plan`, except that `recompute` counts into RECOMPUTE and `gpipe` tells
    whether the schedule is GPipe's.

    Raises
    ------
    ValueError
        If a number is out of range, a batch does not divide, an interleaved schedule has no
        pipeline or micro-batches that do not fill it, or the shapes do not match.
    """

    global_batch: ArrayLike
    micro_batch: ArrayLike = 1
    data: ArrayLike = 1
    tensor: ArrayLike = 1
    pipeline: ArrayLike = 1
    chunks: ArrayLike = 1
    sharding: ArrayLike = 0
    recompute: ArrayLike = 0
    sequence_parallel: ArrayLike = False
    gpipe: ArrayLike = False
    overlap: ArrayLike = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            kind = bool if field.name in ("sequence_parallel", "gpipe") else float
            object.__setattr__(self, field.name, np.asarray(getattr(self, field.name), dtype=kind))
        for name in ("global_batch", "micro_batch", "data", "tensor", "pipeline", "chunks"):
            value = getattr(self, name)
            _refuse(name, value, (value >= 1) & (value == np.floor(value)), "whole, at least 1")
        _refuse("sharding", self.sharding, np.isin(self.sharding, (0, 1, 2, 3)), "0, 1, 2 or 3")
        _refuse("recompute", self.recompute, np.isin(self.recompute, (0, 1, 2)), str(RECOMPUTE))
        _refuse("overlap", self.overlap, (self.overlap >= 0) & (self.overlap <= 1), "0 to 1")
        self.shape  # noqa: B018  raises where the shapes do not match
        each = self.micro_batch * self.data
        whole = self.global_batch % each == 0
        _refuse("global_batch", self.global_batch, whole, "a multiple of micro_batch x data")
        interleaved = self.chunks > 1
        filled = (self.pipeline > 1) & (self.micro_batches % self.pipeline == 0) & ~self.gpipe
        allowed = "1 unless a 1f1b pipeline's depth divides its micro-batches"
        _refuse("chunks", self.chunks, ~interleaved | filled, allowed)

    @classmethod
    def of(cls, *plans: Plan) -> "Plans":
        """Make columns from single plans."""
        for plan in plans:
            if plan.recompute not in RECOMPUTE:
                raise ValueError(f"recompute must be one of {RECOMPUTE}, got {plan.recompute!r}")
            if plan.schedule not in SCHEDULES:
                raise ValueError(f"schedule must be one of {SCHEDULES}, got {plan.schedule!r}")
        same = [field.name for field in fields(cls) if field.name not in ("recompute", "gpipe")]
        return cls(
            recompute=[RECOMPUTE.index(plan.recompute) for plan in plans],
            gpipe=[plan.schedule == "gpipe" for plan in plans],
            **{name: [getattr(plan, name) for plan in plans] for name in same},
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape that the columns broadcast to."""
        try:
            return np.broadcast_shapes(*(getattr(self, f.name).shape for f in fields(self)))
        except ValueError:
            shapes = ", ".join(f"{f.name} {getattr(self, f.name).shape}" for f in fields(self))
            raise ValueError(f"shapes do not match: {shapes}") from None

    @property
    def workers(self) -> np.ndarray:
        """Workers that each plan needs."""
        return self.data * self.tensor * self.pipeline

    @property
    def micro_batches(self) -> np.ndarray:
        """Micro-batches M that each pipeline works through in a step."""
        return self.global_batch / (self.micro_batch * self.data)

    def __len__(self) -> int:
        shape = self.shape
        return shape[0] if shape else 1

    def take(self, which: slice | np.ndarray) -> "Plans":
        """Return some of the plans, by slice, mask or index, without checking them again."""
        taken = object.__new__(Plans)
        for field in fields(self):
            column = getattr(self, field.name)
            object.__setattr__(taken, field.name, column[which] if column.ndim else column)
        return taken

    def plan(self, index: int) -> Plan:
        """Return one plan."""
        values = {
            field.name: np.broadcast_to(getattr(self, field.name), self.shape or (1,))[index].item()
            for field in fields(self)
        }
        gpipe = values.pop("gpipe")
        values["recompute"] = RECOMPUTE[int(values["recompute"])]
        for name, value in values.items():
            if isinstance(value, float) and name != "overlap":
                values[name] = int(value)
        return Plan(schedule="gpipe" if gpipe else "1f1b", **values)


def _refuse(name: str, value: np.ndarray, allowed: np.ndarray, rule: str) -> None:
    if not np.all(allowed):
        value, allowed = np.broadcast_arrays(value, allowed)
        raise ValueError(f"{name} must be {rule}, got {value[~allowed].flat[0]:g}")
