"""A list of layers as a workload: counted or measured, cut into stages and over data."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans, _refuse
from amdahl_lab.cluster.workload import Held, Work, chunks_in_flight


@dataclass(frozen=True)
class Layer:
    """What one layer asks for, for each sample unless said otherwise.

    Parameters
    ----------
    name : str
        Its name.
    parameters : float
        Learned numbers, whatever the batch.
    forward_flops, backward_flops : float
        FLOPs.
    forward_moved, backward_moved : float
        Bytes to and from memory; their time is added to that of the FLOPs.
    forward_seconds, backward_seconds : float
        Seconds that were measured and are taken as they are.
    fixed_seconds : float
        Seconds of the forward and backward pass together that do not depend on the batch.
    activation_bytes, output_bytes : float
        Bytes kept for the backward pass, and bytes handed to the next layer.
    table : bool
        Whether the layer is an embedding table, cut over the data-parallel workers, whose rows
        travel in an all-to-all exchange each way.
    """

    name: str
    parameters: float = 0.0
    forward_flops: float = 0.0
    backward_flops: float = 0.0
    forward_moved: float = 0.0
    backward_moved: float = 0.0
    forward_seconds: float = 0.0
    backward_seconds: float = 0.0
    fixed_seconds: float = 0.0
    activation_bytes: float = 0.0
    output_bytes: float = 0.0
    table: bool = False

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name not in ("name", "table") and not (value >= 0 and np.isfinite(value)):
                raise ValueError(f"{name} must be finite and at least 0, got {value!r}")

    def forward(self, machine: Machine) -> float:
        """Seconds of one sample forward."""
        counted = self.forward_flops / machine.flops + self.forward_moved / machine.moved
        return counted + self.forward_seconds

    def backward(self, machine: Machine) -> float:
        """Seconds of one sample backward."""
        counted = self.backward_flops / machine.flops + self.backward_moved / machine.moved
        return counted + self.backward_seconds


@dataclass(frozen=True)
class Layered:
    """A model given as its layers, from first to last.

    Parameters
    ----------
    layers : tuple of Layer
        In the order of the forward pass. Pipeline stages are cut where the busiest is least busy.
    weight_bytes, gradient_bytes, optimizer_bytes : float
        Bytes for each parameter; single precision and Adam unless said otherwise.

    Raises
    ------
    ValueError
        If there is no layer.
    """

    layers: tuple[Layer, ...]
    weight_bytes: float = 4
    gradient_bytes: float = 4
    optimizer_bytes: float = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("layers must hold at least one Layer, got none")

    def check(self, plans: Plans) -> None:
        """Raise ValueError for tensor parallelism, selective recomputation or too many stages."""
        _refuse("tensor", plans.tensor, plans.tensor == 1, "1 for a list of layers")
        _refuse("recompute", plans.recompute, plans.recompute != 1, "0 or 2 for a list of layers")
        cut, most = plans.pipeline * plans.chunks, len(self.layers)
        _refuse("pipeline x chunks", cut, cut <= most, f"at most {most} layers")

    def work(self, plans: Plans, machine: Machine) -> Work:
        """Return one micro-batch's work on one worker of the busiest stage."""
        times = np.array(
            [
                [layer.forward(machine), layer.backward(machine), layer.fixed_seconds]
                for layer in self.layers
            ]
        )
        names = ("forward", "backward", "fixed", "whole", "fixed_whole", "parameters", "sent")
        columns = {name: np.empty(plans.shape) for name in names}
        for (p, v), which in _cuts(plans):
            stages = self._stages(times[:, :2].sum(axis=1), p, v)
            sums = np.array([times[stage].sum(axis=0) for stage in stages])
            busiest = sums[:, :2].sum(axis=1).argmax()
            dense = [
                [self.layers[i] for i in stage if not self.layers[i].table] for stage in stages
            ]
            values = (
                *sums[busiest],
                sums[:, :2].sum(),
                sums[:, 2].sum(),
                max(sum(layer.parameters for layer in stage) for stage in dense),
                max((self.layers[stage[-1]].output_bytes for stage in stages[:-1]), default=0.0),
            )
            for name, value in zip(names, values, strict=True):
                columns[name][which] = value
        b = plans.micro_batch
        again = np.where(plans.recompute == 2, columns["forward"] * b, 0.0)
        backward = columns["backward"] * b + again
        seconds = columns["forward"] * b + backward + columns["fixed"]
        factor = seconds / np.maximum((columns["forward"] + columns["backward"]) * b, 1e-300)
        every = columns["whole"] * b * np.where(plans.recompute == 2, factor, 1.0)
        rest = np.maximum(every + columns["fixed_whole"] - seconds, 0.0)
        tables = [layer for layer in self.layers if layer.table]
        return Work(
            seconds=seconds,
            last=0.0,
            backward=backward,
            rest=np.where(plans.pipeline > 1, rest, 0.0),
            tensor_bytes=0.0,
            tensor_messages=0.0,
            sent_bytes=columns["sent"] * b,
            parameters=columns["parameters"],
            exchanged_bytes=sum(layer.output_bytes for layer in tables) * b,
            exchanges=2 if tables else 0,
        )

    def parts(self, plan: Plan, machine: Machine) -> tuple[np.ndarray, np.ndarray]:
        """Return the seconds of a forward and of a backward pass of each part of the model.

        Seconds that do not depend on the batch are half of each pass.
        """
        forward = np.array([layer.forward(machine) for layer in self.layers])
        backward = np.array([layer.backward(machine) for layer in self.layers])
        again = forward if plan.recompute == "full" else 0.0
        fixed = np.array([layer.fixed_seconds for layer in self.layers]) / 2
        cuts = balanced_cuts(tuple((forward + backward).tolist()), plan.pipeline * plan.chunks)
        ahead = plan.micro_batch * forward + fixed
        behind = plan.micro_batch * (backward + again) + fixed
        return np.add.reduceat(ahead, cuts[:-1]), np.add.reduceat(behind, cuts[:-1])

    def held(self, plans: Plans) -> Held:
        """Return what the fullest worker holds."""
        held = np.empty((3, *plans.shape))
        weights = np.array([layer.parameters + 1.0 for layer in self.layers])
        for (p, v), which in _cuts(plans):
            stages = [[self.layers[i] for i in stage] for stage in self._stages(weights, p, v)]
            held[0][which] = max(sum(x.parameters for x in s if not x.table) for s in stages)
            held[1][which] = max(sum(x.parameters for x in s if x.table) for s in stages)
            held[2][which] = max(sum(x.activation_bytes for x in s) for s in stages)
        in_flight = chunks_in_flight(plans) / plans.chunks
        return Held(held[0], held[1] / plans.data, held[2] * plans.micro_batch * in_flight)

    def _stages(self, weights: np.ndarray, stages: int, chunks: int) -> list[list[int]]:
        cuts = balanced_cuts(tuple(weights.tolist()), stages * chunks)
        parts = [range(a, b) for a, b in itertools.pairwise(cuts)]
        return [list(itertools.chain(*parts[stage::stages])) for stage in range(stages)]


def measured(layers: Sequence[Layer]) -> Layered:
    """Make a workload of layers whose seconds were measured.

    Parameters
    ----------
    layers : sequence of Layer
        With `forward_seconds` and `backward_seconds` for each sample and, where two batches were
        measured, `fixed_seconds`: the line's intercept.

    Returns
    -------
    Layered
        The workload; only the network and the memory of a machine matter to it.

    Raises
    ------
    ValueError
        If a layer has no measured time, or FLOPs beside it, which would count its work twice.
    """
    for layer in layers:
        if layer.forward_seconds + layer.backward_seconds + layer.fixed_seconds == 0:
            raise ValueError(f"layer {layer.name!r} must have measured seconds, got none")
        if layer.forward_flops or layer.backward_flops:
            raise ValueError(f"layer {layer.name!r} must have seconds or FLOPs, got both")
    return Layered(tuple(layers))


@lru_cache(maxsize=4096)
def balanced_cuts(weights: tuple[float, ...], parts: int) -> tuple[int, ...]:
    """Cut a list into contiguous parts so that the heaviest part is as light as can be.

    Parameters
    ----------
    weights : tuple of float, at least 0
        Weight of each item.
    parts : int, at most the number of items
        Parts, none of them empty.

    Returns
    -------
    tuple of int, length parts + 1
        Where the parts begin, and the end.

    Examples
    --------
    >>> balanced_cuts((1.0, 2.0, 3.0, 4.0, 5.0), 2)
    (0, 3, 5)
    """
    n = len(weights)
    total = np.concatenate([[0.0], np.cumsum(weights)])
    best = np.full((parts + 1, n + 1), np.inf)
    cut = np.zeros((parts + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for k in range(1, parts + 1):
        for end in range(k, n - (parts - k) + 1):
            heaviest = np.maximum(best[k - 1, :end], total[end] - total[:end])
            cut[k, end] = heaviest.argmin()
            best[k, end] = heaviest[cut[k, end]]
    cuts = [n]
    for k in range(parts, 0, -1):
        cuts.append(int(cut[k, cuts[-1]]))
    return tuple(reversed(cuts))


def _cuts(plans: Plans) -> list[tuple[tuple[int, int], np.ndarray]]:
    stages, chunks = (
        np.broadcast_to(x, plans.shape).astype(int) for x in (plans.pipeline, plans.chunks)
    )
    pairs = sorted(set(zip(stages.ravel().tolist(), chunks.ravel().tolist(), strict=True)))
    return [((p, v), (stages == p) & (chunks == v)) for p, v in pairs]
