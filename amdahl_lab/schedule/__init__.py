"""Timelines at the level of events: pipelines, stragglers, failures and checkpoints.

They say what closed forms cannot: stages that differ, times that vary, work that is lost.
"""

from amdahl_lab.schedule.dynamic import dynamic_finish, static_finish
from amdahl_lab.schedule.failures import (
    FailureRun,
    best_interval,
    daly_interval,
    first_order_goodput,
    goodput,
    most_restart,
    simulate_failures,
    young_interval,
)
from amdahl_lab.schedule.pipeline import (
    Pipeline,
    Timeline,
    gpipe,
    interleaved,
    one_forward_one_backward,
)
from amdahl_lab.schedule.stragglers import (
    SynchronousSteps,
    expected_maximum,
    larger_of_two,
    synchronous_steps,
)
from amdahl_lab.schedule.tasks import TaskGraph

__all__ = [
    "FailureRun",
    "Pipeline",
    "SynchronousSteps",
    "TaskGraph",
    "Timeline",
    "best_interval",
    "daly_interval",
    "dynamic_finish",
    "expected_maximum",
    "first_order_goodput",
    "goodput",
    "gpipe",
    "interleaved",
    "larger_of_two",
    "most_restart",
    "one_forward_one_backward",
    "simulate_failures",
    "static_finish",
    "synchronous_steps",
    "young_interval",
]
