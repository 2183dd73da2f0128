"""Layers placed on ranks, and nothing else: a relay race, not a parallel program."""

from typing import Any

from amdahl_lab.parallel.strategies.pipeline import Pipeline


class LayerPlacement(Pipeline):
    """A pipeline of a single micro-batch: one rank works at a time while all others wait.

    It lets a model be trained that does not fit one rank; it makes nothing faster. Parameters and
    errors are those of `Pipeline`, without micro-batches and their order.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, micro_batches=1, **kwargs)
