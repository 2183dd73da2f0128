"""Every strategy by name, ready to be built: for a chapter that lays them side by side."""

from collections.abc import Callable, Mapping
from functools import partial

from amdahl_lab.parallel.strategies.by_torch import (
    DataParallelByTorch,
    FullySharded,
    PipelineByTorch,
    TensorParallelByTorch,
)
from amdahl_lab.parallel.strategies.cuts import Column, Row
from amdahl_lab.parallel.strategies.data_parallel import DataParallel
from amdahl_lab.parallel.strategies.hybrid import Hybrid
from amdahl_lab.parallel.strategies.overlapped import OverlappedDataParallel
from amdahl_lab.parallel.strategies.pipeline import Pipeline
from amdahl_lab.parallel.strategies.placement import LayerPlacement
from amdahl_lab.parallel.strategies.strategy import Strategy
from amdahl_lab.parallel.strategies.tensor_parallel import TensorParallel
from amdahl_lab.parallel.strategies.zero1 import Zero1
from amdahl_lab.parallel.strategies.zero2 import Zero2
from amdahl_lab.schedule.pipeline import gpipe

Cut = Callable[..., Strategy]


def by_hand(plan: Mapping[str, Column | Row], micro_batches: int = 4) -> dict[str, Cut]:
    """Return this package's strategies for a model that is a sequence of layers.

    Parameters
    ----------
    plan : mapping of str to Column or Row
        How tensor parallelism cuts the model's linear layers, by name.
    micro_batches : int, at least 1
        Micro-batches of the pipelines.

    Returns
    -------
    dict of str to callable
        Each takes model, optimizer and loss. Embeddings are left out: they want tables.
    """
    return {
        "data parallel": DataParallel,
        "data parallel, overlapped": OverlappedDataParallel,
        "ZeRO 1": Zero1,
        "ZeRO 2": Zero2,
        "tensor parallel": partial(TensorParallel, plan=plan),
        "layer placement": LayerPlacement,
        "GPipe": partial(Pipeline, micro_batches=micro_batches, order=gpipe),
        "1F1B": partial(Pipeline, micro_batches=micro_batches),
    }


def by_torch(plan: Mapping[str, Column | Row], micro_batches: int = 4) -> dict[str, Cut]:
    """Return what PyTorch offers in place of some of them, by the same names.

    FSDP collects the layers that `plan` cuts one by one, "FSDP, one part" the whole model at once.
    """
    return {
        "data parallel": DataParallelByTorch,
        "FSDP": partial(FullySharded, parts=tuple(plan)),
        "FSDP, one part": FullySharded,
        "tensor parallel": partial(TensorParallelByTorch, plan=plan),
        "GPipe": partial(PipelineByTorch, micro_batches=micro_batches, order=gpipe),
        "1F1B": partial(PipelineByTorch, micro_batches=micro_batches),
    }


def hybrids(plan: Mapping[str, Column | Row], copies: int = 2) -> dict[str, Cut]:
    """Return the strategies of a mesh with so many copies of the model along one side."""
    return {
        "data x tensor": partial(Hybrid, copies=copies, cut=partial(TensorParallel, plan=plan)),
        "data x pipeline": partial(Hybrid, copies=copies, cut=Pipeline),
    }
