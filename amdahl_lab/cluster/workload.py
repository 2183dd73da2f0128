"""Workloads: what one worker of the busiest stage does for one micro-batch, and what it holds.

A workload answers two questions for columns of plans, `work` and `held`, and one for a single plan,
`parts`; the closed form needs the first two, the timeline the last.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans

Column = np.ndarray | float


@dataclass(frozen=True)
class Work:
    """One micro-batch's work on one worker of the busiest pipeline stage.

    Parameters
    ----------
    seconds : array or float
        Compute of the stage, forward, backward and recomputation.
    last : array or float
        Compute that only the last stage has, such as the output layer and the loss.
    backward : array or float
        The part of `seconds` under which communication of gradients can hide.
    rest : array or float
        Compute of all other stages together: it fills and drains the pipeline.
    tensor_bytes, tensor_messages : array or float
        What the worker sends to its tensor-parallel group while nothing else happens.
    sent_bytes : array or float
        Bytes across one boundary between stages in one direction.
    exchanged_bytes : array or float
        Bytes of the worker's buffer in each of the step's all-to-all exchanges.
    exchanges : int
        All-to-all exchanges for each micro-batch.
    parameters : array or float
        Parameters that a data-parallel worker keeps in step with its copies.
    """

    seconds: Column
    last: Column
    backward: Column
    rest: Column
    tensor_bytes: Column
    tensor_messages: Column
    sent_bytes: Column
    parameters: Column
    exchanged_bytes: Column = 0.0
    exchanges: int = 0


@dataclass(frozen=True)
class Held:
    """What the fullest worker holds, before data-parallel sharding.

    Parameters
    ----------
    parameters : array or float
        Parameters that sharding may cut.
    apart : array or float
        Parameters already cut among the data-parallel workers, such as embedding tables.
    activations : array or float
        Bytes kept for the backward pass by all micro-batches in flight.
    """

    parameters: Column
    apart: Column
    activations: Column


class Workload(Protocol):
    """What the closed form asks of a workload."""

    weight_bytes: float
    gradient_bytes: float
    optimizer_bytes: float

    def work(self, plans: Plans, machine: Machine) -> Work:
        """Return the work of one micro-batch on one worker of the busiest stage."""

    def parts(self, plan: Plan, machine: Machine) -> tuple[np.ndarray, np.ndarray]:
        """Return the compute of a forward and of a backward pass of each part of the model."""

    def held(self, plans: Plans) -> Held:
        """Return what the fullest worker holds."""

    def check(self, plans: Plans) -> None:
        """Raise ValueError where the workload cannot be cut as a plan wants."""


def chunks_in_flight(plans: Plans) -> Column:
    """Chunks of the model whose activations the first stage holds at its fullest.

    GPipe holds all M micro-batches; 1F1B as many as there are stages, at most M; the interleaved
    schedule p v + p - 1 chunks of the v on each of p stages. The bound is that of the schedules
    themselves: `schedule.pipeline` counts the same.

    References
    ----------
    Narayanan et al., arXiv:2104.04473, section 2.2; Korthikanti et al., arXiv:2205.05198, section
    4.2.3, which writes the last as the factor 1 + (p - 1) / (p v) on the layers of one stage.
    """
    p, v, M = plans.pipeline, plans.chunks, plans.micro_batches
    ahead = np.where(v > 1, p * v + p - 1, p)
    return np.minimum(np.where(plans.gpipe, M, ahead), M * v)
