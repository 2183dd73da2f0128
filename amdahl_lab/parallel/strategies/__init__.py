"""Ways to cut training over the ranks, one module for each."""

from amdahl_lab.parallel.strategies.data_parallel import DataParallel
from amdahl_lab.parallel.strategies.memory import Memory
from amdahl_lab.parallel.strategies.strategy import Batch, Loss, Strategy
from amdahl_lab.parallel.strategies.timeline import MeasuredTimeline, Phase
from amdahl_lab.parallel.strategies.traffic import Traffic

__all__ = [
    "Batch",
    "DataParallel",
    "Loss",
    "MeasuredTimeline",
    "Memory",
    "Phase",
    "Strategy",
    "Traffic",
]
