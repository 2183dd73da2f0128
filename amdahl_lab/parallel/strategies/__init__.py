"""Ways to cut training over the ranks, one module for each."""

from amdahl_lab.parallel.strategies.data_parallel import DataParallel
from amdahl_lab.parallel.strategies.traffic import Traffic

__all__ = ["DataParallel", "Traffic"]
