"""Ways to cut training over the ranks, one module for each.

`by_torch` holds what PyTorch itself offers, behind the same interface.
"""

from amdahl_lab.parallel.strategies.cuts import Column, Row
from amdahl_lab.parallel.strategies.data_parallel import DataParallel
from amdahl_lab.parallel.strategies.embedding_sharded import EmbeddingSharded
from amdahl_lab.parallel.strategies.hybrid import Hybrid
from amdahl_lab.parallel.strategies.memory import Memory
from amdahl_lab.parallel.strategies.overlapped import OverlappedDataParallel
from amdahl_lab.parallel.strategies.pipeline import Pipeline
from amdahl_lab.parallel.strategies.placement import LayerPlacement
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy
from amdahl_lab.parallel.strategies.tensor_parallel import TensorParallel
from amdahl_lab.parallel.strategies.timeline import MeasuredTimeline, Phase
from amdahl_lab.parallel.strategies.traffic import Traffic
from amdahl_lab.parallel.strategies.zero1 import Zero1
from amdahl_lab.parallel.strategies.zero2 import Zero2

__all__ = [
    "Batch",
    "Column",
    "DataParallel",
    "EmbeddingSharded",
    "Hybrid",
    "LayerPlacement",
    "Loss",
    "MeasuredTimeline",
    "Memory",
    "OverlappedDataParallel",
    "Phase",
    "Pipeline",
    "Row",
    "Strategy",
    "TensorParallel",
    "Traffic",
    "Zero1",
    "Zero2",
]
