"""The reference measurements of the chapter on parallel strategies: what is cut how, and timed."""

from collections.abc import Iterator
from functools import partial

from amdahl_lab.parallel.arrangements import Alone, Unsynchronised, step_times
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.parallel.pass_timing import pipeline_timeline
from amdahl_lab.parallel.strategies import (
    DataParallel,
    EmbeddingSharded,
    LayerPlacement,
    OverlappedDataParallel,
    Pipeline,
    TensorParallel,
    Zero1,
    Zero2,
)
from amdahl_lab.parallel.strategies.by_torch import (
    DataParallelByTorch,
    FullySharded,
    PipelineByTorch,
    TensorParallelByTorch,
)
from amdahl_lab.parallel.strategies.catalogue import Cut
from amdahl_lab.parallel.workloads import Clicks, clicks
from amdahl_lab.parallel.workloads.shaped import Shaped, shaped
from amdahl_lab.records import ScalingRun
from amdahl_lab.schedule import gpipe

ROUNDS = 7


def many_samples() -> Shaped:
    """Return the workload whose batch is twice as large as its layers are wide."""
    return shaped("perceptron", width=512, depth=5, batch=1024)


def few_samples() -> Shaped:
    """Return the workload whose layers are sixteen times as wide as its batch is large."""
    return shaped("perceptron", width=1024, depth=3, batch=64)


def deep() -> Shaped:
    """Return the workload for pipelines: two stages of four wide layers each, and the ends."""
    return shaped("perceptron", width=512, depth=9, batch=1024)


def large_tables() -> Clicks:
    """Return the workload most of whose parameters are rows of tables."""
    return clicks("wide", batch=512)


def ways_to_cut(workload: Shaped) -> dict[str, Cut]:
    """Return what keeps all workers on all layers, by hand and by torch, by name."""
    plan = workload.tensor_plan
    return {
        "data parallel": DataParallel,
        "data parallel, overlapped": OverlappedDataParallel,
        "data parallel without its sum": Unsynchronised,
        "ZeRO 1": Zero1,
        "ZeRO 2": Zero2,
        "tensor parallel": partial(TensorParallel, plan=plan),
        "DDP by torch": DataParallelByTorch,
        "FSDP by torch, one part": FullySharded,
        "tensor parallel by torch": partial(TensorParallelByTorch, plan=plan),
    }


def ways_to_shard(workload: Shaped) -> dict[str, Cut]:
    """Return torch's FSDP layer by layer and with the whole model as one part, by name."""
    return {
        "FSDP by torch": partial(FullySharded, parts=tuple(workload.tensor_plan)),
        "FSDP by torch, one part": FullySharded,
    }


def pipelines() -> dict[str, Cut]:
    """Return layers placed alone, and pipelines of 4 and of 16 micro-batches, by name."""
    return {
        "two workers, each alone": Alone,
        "layer placement": LayerPlacement,
        "GPipe, M = 4": partial(Pipeline, micro_batches=4, order=gpipe),
        "1F1B, M = 4": partial(Pipeline, micro_batches=4),
        "GPipe, M = 16": partial(Pipeline, micro_batches=16, order=gpipe),
        "1F1B, M = 16": partial(Pipeline, micro_batches=16),
        "1F1B by torch, M = 4": partial(PipelineByTorch, micro_batches=4),
    }


def take(progress: Progress) -> Iterator[tuple[str, ScalingRun]]:
    """Take all of them; yield each with the name of its file."""
    in_pieces = {f"one worker, M = {M}": partial(Alone, micro_batches=M) for M in (4, 16)}
    tables = {"data parallel": DataParallel, "embedding-sharded": EmbeddingSharded}
    few = {name: ways_to_cut(few_samples())[name] for name in ("data parallel", "tensor parallel")}
    experiments = {
        "strategies": partial(step_times, ways_to_cut(many_samples()), many_samples()),
        "strategies_sharded": partial(step_times, ways_to_shard(many_samples()), many_samples()),
        "strategies_few_samples": partial(step_times, few, few_samples(), steps=8),
        "strategies_clicks": partial(step_times, tables, large_tables(), steps=5),
        "strategies_pipelines": partial(step_times, pipelines(), deep(), alone=in_pieces, steps=3),
        "timeline_placement": partial(pipeline_timeline, deep(), micro_batches=1),
        "timeline_gpipe": partial(pipeline_timeline, deep(), gpipe),
        "timeline_1f1b": partial(pipeline_timeline, deep()),
    }
    for stem, measure in experiments.items():
        run = measure(rounds=ROUNDS, progress=progress)
        yield stem, run
        if run.rounds < run.rounds_planned:  # it was interrupted
            return
