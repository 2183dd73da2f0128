"""From a plan to its timeline: the same work, pass by pass, for what the closed form cannot say."""

import numpy as np

from amdahl_lab.cluster.machine import Machine
from amdahl_lab.cluster.plan import Plan, Plans
from amdahl_lab.cluster.workload import Workload
from amdahl_lab.schedule.pipeline import (
    Pipeline,
    Timeline,
    gpipe,
    interleaved,
    one_forward_one_backward,
)


def pipeline_of(plan: Plan) -> Pipeline:
    """Return the order of passes that a plan asks for."""
    if plan.schedule == "gpipe":
        return gpipe(plan.pipeline, plan.micro_batches)
    if plan.chunks > 1:
        return interleaved(plan.pipeline, plan.micro_batches, plan.chunks)
    return one_forward_one_backward(plan.pipeline, plan.micro_batches)


def pass_seconds(workload: Workload, machine: Machine, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of a forward and of a backward pass of each part of the model.

    Communication inside layers, between stages and of embeddings keeps a worker busy, as in
    `step_time`, and is shared out evenly.

    Parameters
    ----------
    workload : Workload
        What is computed.
    machine : Machine
        On what.
    plan : Plan
        Arranged how.

    Returns
    -------
    forward, backward : array, shape (pipeline x chunks,)
        Seconds.

    Raises
    ------
    ValueError
        If the workload cannot be cut as the plan wants.
    """
    plans = Plans.of(plan)
    workload.check(plans)
    work = workload.work(plans, machine)
    alpha, beta = machine.link(plan.tensor)
    busy = work.tensor_messages * alpha + work.tensor_bytes * beta
    alpha, beta = machine.link(plan.workers)
    if plan.pipeline > 1:
        busy = busy + 2 * plan.chunks * (alpha + work.sent_bytes * beta)
    d = plan.data
    exchange = alpha + work.exchanged_bytes / d * beta
    busy = busy + work.exchanges * (d - 1) * exchange
    forward, backward = workload.parts(plan, machine)
    share = float(np.ravel(busy)[0]) / (2 * plan.chunks)
    return forward + share, backward + share


def timeline(workload: Workload, machine: Machine, plan: Plan) -> Timeline:
    """Run the passes of one step, without gradients' communication and update.

    Parameters and errors are those of `pass_seconds`; where the stages are equal, the seconds
    are those of `step_time` less its `data`, `waiting` and `optimizer`.
    """
    return pipeline_of(plan).timeline(*pass_seconds(workload, machine, plan))
