"""The closed form: seconds of a step, and bytes on a worker, for columns of plans."""

from dataclasses import dataclass, fields

import numpy as np

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans
from amdahl_lab.cluster.workload import Work, Workload
from amdahl_lab.schedule.stragglers import expected_maximum

BLOCK = 4096  # plans at a time, so that the columns stay in the processor's cache


@dataclass(frozen=True)
class StepTime:
    """Seconds of one training step, split by what the busiest worker does.

    Parameters
    ----------
    compute : array
        Forward, backward and recomputation of all micro-batches.
    tensor, pipeline, data, exchange : array
        Exposed communication: inside layers, between stages, of gradients and sharded
        parameters, and of embeddings.
    bubble : array
        Waiting of a pipeline for its first and last micro-batches.
    waiting : array
        Waiting for the slowest of all workers where their times jitter.
    optimizer : array
        The update of the parameters.
    """

    compute: np.ndarray
    tensor: np.ndarray
    pipeline: np.ndarray
    data: np.ndarray
    exchange: np.ndarray
    bubble: np.ndarray
    waiting: np.ndarray
    optimizer: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Seconds of the whole step."""
        return sum(getattr(self, field.name) for field in fields(self))

    @property
    def communication(self) -> np.ndarray:
        """Seconds of exposed communication of every kind."""
        return self.tensor + self.pipeline + self.data + self.exchange


@dataclass(frozen=True)
class Memory:
    """Bytes on the fullest worker.

    Parameters
    ----------
    parameters, gradients, optimizer, activations : array
        Bytes of each.
    """

    parameters: np.ndarray
    gradients: np.ndarray
    optimizer: np.ndarray
    activations: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Bytes together; what the framework itself needs is not in the model."""
        return self.parameters + self.gradients + self.optimizer + self.activations


def step_time(workload: Workload, machine: Machine, plans: Plan | Plans) -> StepTime:
    """Seconds of one training step for each plan.

    Parameters
    ----------
    workload : Workload
        What is computed.
    machine : Machine
        On what.
    plans : Plan or Plans
        Arranged how.

    Returns
    -------
    StepTime
        Arrays of the shape of `plans`.

    Raises
    ------
    ValueError
        If the workload cannot be cut as a plan wants.

    Notes
    -----
    A step is M micro-batches of the busiest stage, the bubble, what is exposed of the gradients'
    communication, and the update. The bubble is what all other stages need for one micro-batch,
    over v; for equal stages (p - 1) / v micro-batches: Narayanan et al., arXiv:2104.04473, section
    2.2. Sharding sends what Rajbhandari et al., arXiv:1910.02054,
    section 7, count: 2 P for stages 0 to 2 and 3 P for stage 3, where gradients that are cut are
    summed, and parameters that are cut are gathered, once for each micro-batch.
    """
    plans = Plans.of(plans) if isinstance(plans, Plan) else plans
    workload.check(plans)
    return _in_blocks(StepTime, plans, lambda part: _step_time(workload, machine, part))


def memory(workload: Workload, plans: Plan | Plans, **options: bool) -> Memory:
    """Bytes on the fullest worker for each plan.

    Parameters
    ----------
    workload : Workload
        What is computed.
    plans : Plan or Plans
        Arranged how.
    **options : bool
        Passed to the workload's `held`, such as a transformer's `layers_only`.

    Returns
    -------
    Memory
        Arrays of the shape of `plans`.

    Raises
    ------
    ValueError
        If the workload cannot be cut as a plan wants.

    References
    ----------
    Rajbhandari et al., arXiv:1910.02054, section 5, for what sharding cuts.
    """
    plans = Plans.of(plans) if isinstance(plans, Plan) else plans
    workload.check(plans)
    return _in_blocks(Memory, plans, lambda part: _memory(workload, part, options))


def _step_time(workload: Workload, machine: Machine, plans: Plans) -> tuple:
    work = workload.work(plans, machine)
    M, p, t, d = plans.micro_batches, plans.pipeline, plans.tensor, plans.data
    alpha, beta = machine.link(t)
    tensor = work.tensor_messages * alpha + work.tensor_bytes * beta
    alpha, beta = machine.link(plans.workers)
    sends = np.where(p > 1, 2 * plans.chunks, 0.0)
    pipeline = sends * (alpha + work.sent_bytes * beta)
    exchange = 0.0
    if work.exchanges:
        exchange = work.exchanges * (d - 1) * (alpha + work.exchanged_bytes / d * beta)
    bubble = (work.rest + (p - 1) * (tensor + pipeline)) / plans.chunks
    compute = M * (work.seconds + work.last)
    waiting = 0.0
    if machine.jitter:
        waiting = machine.jitter * compute * expected_maximum(plans.workers)
    data = _data(workload, machine, plans, work, M)
    update = workload.weight_bytes + workload.gradient_bytes + 2 * workload.optimizer_bytes
    share = np.where(plans.sharding >= 1, 1 / d, 1.0)
    optimizer = work.parameters * share * (update / machine.moved)
    return compute, M * tensor, M * pipeline, data, M * exchange, bubble, waiting, optimizer


def _data(
    workload: Workload, machine: Machine, plans: Plans, work: Work, M: np.ndarray
) -> np.ndarray:
    d, stage = plans.data, plans.sharding
    alpha, beta = machine.link(d * plans.tensor)
    per_byte, messages = (1 - 1 / d) * beta, (d - 1) * alpha
    summed = work.parameters * workload.gradient_bytes * per_byte + messages
    gathered = work.parameters * workload.weight_bytes * per_byte + messages
    # Whole gradients are summed with an all-reduce: two sweeps of the gradients' size.
    gradients = np.where(stage >= 2, M, 1.0) * summed
    parameters = np.where(stage >= 3, 2 * M, 1.0) * np.where(stage >= 1, gathered, summed)
    sent = gradients + parameters
    # What happens once a step can hide under the last micro-batch only.
    hidden = plans.overlap * work.backward * np.where(stage >= 2, M, 1.0)
    return np.maximum(sent - hidden, 0.0)


def _memory(workload: Workload, plans: Plans, options: dict[str, bool]) -> tuple:
    held = workload.held(plans, **options)
    d, stage = plans.data, plans.sharding
    bytes_each = (
        (workload.weight_bytes, 3),
        (workload.gradient_bytes, 2),
        (workload.optimizer_bytes, 1),
    )
    states = (
        size * (held.parameters * np.where(stage >= least, 1 / d, 1.0) + held.apart)
        for size, least in bytes_each
    )
    return *states, held.activations


def _in_blocks(kind: type, plans: Plans, compute: object) -> StepTime | Memory:
    count = len(plans)
    columns = np.empty((len(fields(kind)), count))
    for start in range(0, count, BLOCK):
        part = slice(start, min(start + BLOCK, count))
        for column, values in zip(columns, compute(plans.take(part)), strict=True):
            column[part] = values
    return kind(*(column.reshape(plans.shape) for column in columns))
