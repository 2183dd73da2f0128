"""Real parallel training on the reader's own machine: the only floor where torch lives.

`ranks`         runs a function on N fresh processes joined by a process group
`workloads`     what is trained: data, models, losses, no downloads; one protocol for all
`strategies`    how the training is cut over the ranks, one module for each way
`experiments`   strategies timed by the measuring protocol
`links`         what an all-reduce costs over the size of its buffer
`bottlenecks`   what a step waits for: arithmetic, memory, the link, the slowest, the input
`overhead`      what the harness itself costs

Importing this package loads no torch; a run does, in its ranks.
"""

from amdahl_lab.parallel.failures import RankError, RankTimeout
from amdahl_lab.parallel.ranks import run_ranks

__all__ = ["RankError", "RankTimeout", "run_ranks"]
