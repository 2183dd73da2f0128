"""The same runs under torchrun, where the processes are there already, on one host or many.

Every process runs the same program. For a run on N workers the first N of them join a new group;
then all of them read the outcomes from the rendezvous store, so that each takes the same turns and
each raises the same error. A rank that does not return in time ends its process, after a look at
where it stood: torchrun then ends the others.
"""

import faulthandler
import functools
import itertools
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from amdahl_lab.parallel import _rank
from amdahl_lab.parallel._payload import name_of
from amdahl_lab.parallel.failures import RankTimeout, raised

END_PATIENCE = 5.0  # seconds beyond the run's timeout: a collective that gives up says more

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
    from torch.distributed import PrefixStore

    store, rank, size = _world()
    if workers > size:
        raise ValueError(
            f"workers must be at most {size}, the processes that torchrun has started "
            f"for {name_of(function)}, got {workers}"
        )
    store = PrefixStore(f"amdahl_lab/{next(_runs)}", store)
    if rank < workers:
        faulthandler.dump_traceback_later(timeout + END_PATIENCE, exit=True)
        try:
            _rank.seed_generators(seed, rank)
            with _rank.as_rank(rank, workers, store, threads, timedelta(seconds=timeout)):
                outcome = "result", _rank.pack_result(function(*args, **kwargs))
        except (Exception, SystemExit) as error:
            outcome = "error", _rank.describe(error)
        finally:
            faulthandler.cancel_dump_traceback_later()
        store.set(_name(rank), pickle.dumps(outcome))
    outcomes = _outcomes(store, workers, timeout, name_of(function))
    if store.add("readers", 1) == size:  # the last one to read clears the store
        for each in range(workers):
            store.delete_key(_name(each))
    errors = {each: body for each, (kind, body) in enumerate(outcomes) if kind == "error"}
    if errors:
        causes = [each for each, told in errors.items() if not told["lost_peer"]]
        first = min(causes or errors)
        raise raised(first, workers, errors[first])
    return [pickle.loads(body) for _, body in outcomes]


def _name(rank: int) -> str:
    return f"outcome/{rank}"


def _outcomes(store: Any, workers: int, timeout: float, function: str) -> list[tuple[str, Any]]:
    from torch.distributed import DistStoreError

    try:
        store.wait([_name(each) for each in range(workers)], timedelta(seconds=timeout))
    except DistStoreError as error:
        late = [each for each in range(workers) if not store.check([_name(each)])]
        positions = dict.fromkeys(late, "had not returned")
        raise RankTimeout(
            f"of {workers} ranks, {late} did not return from {function} within {timeout:g} s "
            "of the others. Ranks that wait for each other wait for ever",
            positions=positions,
        ) from error
    return [pickle.loads(store.get(_name(each))) for each in range(workers)]
