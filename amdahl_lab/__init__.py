"""Measure, fit and predict the speedup of parallel deep learning.

The package is a house: imports go down only.

ground        `laws`, `records`, `statistics` (numpy)
first floor   `fitting`, `machine`, `timing`, `storage`, `tables`, `diary`, `recorded`
second floor  `figures`, `explorers`
upper floor   `parallel` (torch lives here and nowhere else), `grading`, the command line

``import amdahl_lab`` loads the ground floor's laws and nothing heavier than numpy.
"""

from amdahl_lab import laws

__version__ = "0.1.0"

__all__ = ["__version__", "laws"]
