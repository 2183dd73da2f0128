"""Which plan is fastest, cheapest or smallest, and what to say when none fits."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from amdahl_lab.cluster.layered import Layered
from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans
from amdahl_lab.cluster.step import memory, step_time
from amdahl_lab.cluster.transformer import Transformer
from amdahl_lab.cluster.workload import Workload

OBJECTIVES = ("fastest", "cheapest", "smallest")
UNITS = {"memory": (2**30, "GiB"), "workers": (1, "workers"), "seconds": (1, "s")}


@dataclass(frozen=True)
class Choice:
    """A plan and what it takes.

    Parameters
    ----------
    plan : Plan
        The plan.
    seconds : float
        Seconds of a step.
    memory : float
        Bytes on the fullest worker.
    price : float
        Cost of a step.
    """

    plan: Plan
    seconds: float
    memory: float
    price: float

    def __str__(self) -> str:
        plan = self.plan
        sequence = " + sequence parallel" if plan.sequence_parallel else ""
        return (
            f"{plan.workers} workers (data {plan.data} x tensor {plan.tensor} x pipeline "
            f"{plan.pipeline}, chunks {plan.chunks}), micro-batch {plan.micro_batch}, sharding "
            f"{plan.sharding}, recompute {plan.recompute}{sequence}: {self.seconds:.3g} s, "
            f"{self.memory / 2**30:.3g} GiB"
        )


class NoPlanFitsError(ValueError):
    """No plan fits the limits; says which limit, by how much, and the nearest plan.

    Parameters
    ----------
    excess : dict of str to float
        For each limit that the nearest plan breaks, what it needs over what is allowed.
    nearest : Choice
        Of the plans that break the fewest limits, the one whose worst excess is least.
    message : str
        Sentences for a reader.
    """

    def __init__(self, message: str, excess: dict[str, float], nearest: Choice) -> None:
        super().__init__(message)
        self.excess = excess
        self.nearest = nearest


def search(
    workload: Workload,
    machine: Machine,
    global_batch: int,
    *,
    objective: str = "fastest",
    workers: int,
    memory_limit: float | None = None,
    seconds: float = math.inf,
    plans: Plans | None = None,
) -> Choice:
    """Find the best plan under limits.

    Parameters
    ----------
    workload : Workload
        What is computed.
    machine : Machine
        On what.
    global_batch : int
        Samples of a step.
    objective : {"fastest", "cheapest", "smallest"}
        What is least: seconds of a step, its price, or the number of workers.
    workers : int
        Most workers.
    memory_limit : float, optional
        Most bytes on a worker; the machine's memory unless given.
    seconds : float
        Most seconds of a step.
    plans : Plans, optional
        The plans to choose from; `candidates` unless given.

    Returns
    -------
    Choice
        The best plan. Of equals, the one with fewer workers, then with less memory.

    Raises
    ------
    NoPlanFitsError
        If no plan fits the limits.
    ValueError
        If the objective is not known or a limit is not above 0.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be one of {OBJECTIVES}, got {objective!r}")
    limits = {
        "memory": machine.memory if memory_limit is None else memory_limit,
        "workers": workers,
        "seconds": seconds,
    }
    for name, limit in limits.items():
        if not limit > 0:
            raise ValueError(f"{name} must be above 0, got {limit!r}")
    if plans is None:
        plans = candidates(workload, machine, global_batch)
    needs = {
        "memory": memory(workload, plans).total,
        "workers": np.broadcast_to(plans.workers, plans.shape),
        "seconds": step_time(workload, machine, plans).total,
    }
    price = needs["seconds"] * needs["workers"] * machine.price

    def choice(index: int) -> Choice:
        needed = {name: float(value[index]) for name, value in needs.items()}
        return Choice(plans.plan(index), needed["seconds"], needed["memory"], float(price[index]))

    ratios = np.array([needs[name] / limit for name, limit in limits.items()])
    fits = (ratios <= 1).all(axis=0)
    if not fits.any():
        raise _refusal(limits, needs, ratios, choice)
    goal = {"fastest": needs["seconds"], "cheapest": price, "smallest": needs["workers"]}[objective]
    tie = needs["seconds"] if objective == "smallest" else needs["workers"]
    index = np.flatnonzero(fits)
    return choice(int(index[np.lexsort((needs["memory"][index], tie[index], goal[index]))[0]]))


def candidates(workload: Workload, machine: Machine, global_batch: int) -> Plans:
    """Return the plans that a workload can be cut into.

    Tensor parallelism stays inside the innermost network; micro-batches are powers of two up to
    16; sequence parallelism goes with tensor parallelism; pipelines are 1F1B.
    """
    if isinstance(workload, Transformer):
        inside = min(machine.networks[0].workers, workload.heads)
        tensors = [t for t in _divisors(workload.heads) if t <= inside]
        depths = _divisors(workload.layers)
        recomputes = [0, 1, 2]
    else:
        tensors, recomputes = [1], [0, 2]
        most = len(workload.layers) if isinstance(workload, Layered) else 1
        depths = list(range(1, most + 1))
    cuts = [
        (p, v)
        for p, v in itertools.product(depths, depths)
        if (v == 1 or p > 1) and p * v <= max(depths) and (max(depths) % (p * v) == 0 or v == 1)
    ]
    batches = [
        (d, b)
        for d in _divisors(global_batch)
        for b in (1, 2, 4, 8, 16)
        if global_batch % (d * b) == 0
    ]
    rows = [
        (p, v, t, d, b, z, r)
        for (p, v), (d, b) in itertools.product(cuts, batches)
        if v == 1 or (global_batch // (d * b)) % p == 0
        for t, z, r in itertools.product(tensors, (0, 1, 2, 3) if d > 1 else (0,), recomputes)
    ]
    p, v, t, d, b, z, r = np.array(rows, dtype=float).T
    return Plans(global_batch, b, d, t, p, v, z, r, sequence_parallel=t > 1)


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _refusal(limits: dict, needs: dict, ratios: np.ndarray, choice: object) -> NoPlanFitsError:
    # Nearest is a plan that breaks as few limits as can be and, of these, its worst by the least.
    broken = (ratios > 1).sum(axis=0)
    index = int(np.lexsort((ratios.max(axis=0), broken))[0])
    nearest = choice(index)
    excess, parts = {}, []
    for name, ratio in zip(limits, ratios[:, index], strict=True):
        if ratio > 1:
            unit, label = UNITS[name]
            need, limit = needs[name][index] / unit, limits[name] / unit
            excess[name] = float(ratio)
            parts.append(f"{name}, {need:.4g} of {limit:.4g} {label} ({need - limit:.3g} over)")
    message = f"no plan fits. The nearest breaks {'; '.join(parts)}. It is {nearest}"
    return NoPlanFitsError(message, excess, nearest)
