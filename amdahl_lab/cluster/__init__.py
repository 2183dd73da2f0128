"""The cluster model: Workload x Machine x Plan gives the time of a step and the memory it takes.

A closed form, vectorised over plans. What it cannot say (uneven stages, jitter, failures) is in
`amdahl_lab.schedule`.
"""

from amdahl_lab.cluster.calibration import (
    Calibration,
    Observation,
    calibrate,
    leave_one_out,
    published_step,
)
from amdahl_lab.cluster.events import pass_seconds, pipeline_of, timeline
from amdahl_lab.cluster.frontier import cheapest, frontier
from amdahl_lab.cluster.layered import Layer, Layered, measured
from amdahl_lab.cluster.machine import Machine, Network, a100_cluster
from amdahl_lab.cluster.models import recommendation, resnet50
from amdahl_lab.cluster.plan import Plan, Plans
from amdahl_lab.cluster.search import Choice, NoPlanFitsError, candidates, search
from amdahl_lab.cluster.step import Memory, StepTime, memory, step_time
from amdahl_lab.cluster.transformer import Transformer
from amdahl_lab.cluster.workload import Held, Work, Workload

__all__ = [
    "Calibration",
    "Choice",
    "Held",
    "Layer",
    "Layered",
    "Machine",
    "Memory",
    "Network",
    "NoPlanFitsError",
    "Observation",
    "Plan",
    "Plans",
    "StepTime",
    "Transformer",
    "Work",
    "Workload",
    "a100_cluster",
    "calibrate",
    "candidates",
    "cheapest",
    "frontier",
    "leave_one_out",
    "measured",
    "memory",
    "pass_seconds",
    "pipeline_of",
    "published_step",
    "recommendation",
    "resnet50",
    "search",
    "step_time",
    "timeline",
]
