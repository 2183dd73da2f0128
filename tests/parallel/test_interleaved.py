"""Jobs side by side: every one is run as it says, and trains as the serial run does."""

from functools import partial

import numpy as np
import pytest

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.equality import differences_by_strategy
from amdahl_lab.parallel.interleaved import measure_jobs
from amdahl_lab.parallel.strategies import DataParallel, TensorParallel
from amdahl_lab.parallel.workloads.shaped import FAMILIES, shaped
from amdahl_lab.prediction import Job
from amdahl_lab.prediction.operations import step_of

JOBS = [
    Job("perceptron", 32, 2, 16),
    Job("convolution", 16, 1, 8, "data", 2, "shared"),
    Job("transformer", 16, 1, 4, "tensor", 2, "gloo"),
    Job("perceptron", 32, 3, 16, "data", 2, "gloo"),
]


@pytest.fixture(scope="module")
def measured():
    return measure_jobs(JOBS, 2, np.random.default_rng(0), phases=True)


def test_every_job_is_timed_in_every_round(measured):
    assert [run.job for run in measured] == JOBS
    for run in measured:
        assert len(run.looks) == len(run.seconds["step"]) == 2


def test_phases_are_those_of_the_arrangement(measured):
    parts = {"step", "load", "forward", "backward", "update"}
    found = {run.job.arrangement: set(run.seconds) for run in measured}
    assert found == {"serial": parts, "data": parts | {"exchange"}, "tensor": {"step"}}


@pytest.mark.parametrize(("family", "depth"), [("perceptron", 3), ("transformer", 1)])
def test_what_is_timed_is_the_serial_training(family, depth):
    """All weights after two steps are those of a run without any strategy."""
    workload = shaped(family, 16, depth, 6)
    cuts = {
        "data": DataParallel,
        "shared": partial(DataParallel, transport="shared"),
        "tensor": partial(TensorParallel, plan=workload.tensor_plan),
    }
    differences = differences_by_strategy(cuts, workload, 2, 2)
    assert max(differences.values()) < 1e-5, differences


def test_messages_are_counted_as_the_strategy_sends_them():
    shapes = [
        (family, 16, depth, 4) for family in ("perceptron", "transformer") for depth in (1, 2)
    ]
    shapes.append(("perceptron", 16, 3, 4))

    def sent() -> list[tuple[int, int]]:
        found = []
        for shape in shapes:
            job = shaped(*shape)
            model = job.model()
            cut = TensorParallel(model, job.optimizer(model), job.loss, job.tensor_plan)
            cut.step(job.load(0))
            found.append((cut.traffic.collectives, cut.traffic.bytes))
        return found

    exchanges = [step_of(Job(*shape, "tensor", 2, "gloo")).phases["exchange"] for shape in shapes]
    counted = [(each["gloo_messages"], each["gloo_moved"]) for each in exchanges]
    assert run_ranks(sent, 2) == [counted] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_width_and_depth_are_those_asked_for(family):
    def parameters(width: int, depth: int) -> int:
        return sum(each.numel() for each in shaped(family, width, depth, 4).model().parameters())

    one, two, three = (parameters(16, depth) for depth in (1, 2, 3))
    assert three - two == two - one  # a layer like the one before
    layer = {"perceptron": 16 * 16 + 16, "convolution": 9 * 16 * 16 + 16}
    layer["transformer"] = 12 * 16 * 16 + 13 * 16  # 4 h^2 + 8 h^2, biases and two norms
    assert two - one == layer[family]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shaped("tree", 8, 2, 8), "family must be one of perceptron, convolution"),
        (lambda: shaped("perceptron", 8, 0, 8), "depth must be at least 1, got 0"),
        (lambda: shaped("transformer", 10, 1, 8), "width must be a multiple of 4 heads, got 10"),
        (lambda: shaped("convolution", 8, 1, 8).tensor_plan, "family must be perceptron or"),
        (lambda: measure_jobs([], 2, None), "jobs must be different and at least one, got 0"),
        (lambda: measure_jobs(JOBS[:1], 1, None), "rounds must be at least 2, got 1"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
