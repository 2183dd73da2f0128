"""The same runs under torchrun, where the processes are there already, on one host or many.

Every process runs the same program. For a run on N workers the first N of them join a new group;
then all of them read the results from the rendezvous store, so that each takes the same turns.
"""

import datetime
import functools
import itertools
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amdahl_lab.parallel import _rank
from amdahl_lab.parallel._payload import name_of

_runs = itertools.count()


def is_present() -> bool:
    """Tell whether this process is one of torchrun's, by the names that its rendezvous reads."""
    return all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"))


@functools.cache
def _world() -> tuple[Any, int, int]:
    """Return the rendezvous store, this process's rank and the number of processes."""
    from torch.distributed import rendezvous

    return next(iter(rendezvous("env://")))


def run(
    function: Callable,
    workers: int,
    args: Sequence,
    kwargs: Mapping[str, Any],
    threads: int,
    timeout: float,
    seed: int | None,
) -> list:
    """Run the function in this process if its rank is below `workers`; return all results."""
    import cloudpickle
    import torch.distributed as dist

    store, rank, size = _world()
    if workers > size:
        raise ValueError(
            f"workers must be at most {size}, the processes that torchrun has started "
            f"for {name_of(function)}, got {workers}"
        )
    store = dist.PrefixStore(f"amdahl_lab/{next(_runs)}", store)
    if rank < workers:
        _rank.seed_generators(seed, rank)
        with _rank.as_rank(rank, workers, store, threads):
            result = function(*args, **kwargs)
            store.set(f"result/{rank}", cloudpickle.dumps(result))
    names = [f"result/{each}" for each in range(workers)]
    store.wait(names, datetime.timedelta(seconds=timeout))
    results = [pickle.loads(store.get(name)) for name in names]
    if store.add("readers", 1) == size:  # the last one to read clears the store
        for name in names:
            store.delete_key(name)
    return results
