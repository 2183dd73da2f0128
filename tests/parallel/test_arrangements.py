"""What is counted and timed of the ways to cut one training, held against closed forms."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from amdahl_lab.demand import state_bytes
from amdahl_lab.parallel import strategy_references
from amdahl_lab.parallel.arrangements import Alone, Unsynchronised, step_times, watch
from amdahl_lab.parallel.pass_timing import measured_passes, pipeline_timeline, predicted_timeline
from amdahl_lab.parallel.strategies import DataParallel, Pipeline, Zero1
from amdahl_lab.parallel.workloads.shaped import shaped
from amdahl_lab.records import Machine, ScalingRun, Timing

SMALL = shaped("perceptron", width=16, depth=3, batch=24)
PARAMETERS = 65 * 16 + 2 * 17 * 16 + 17 * 10


def test_what_is_watched_is_what_the_formulas_say():
    seen = watch({"copy": DataParallel, "cut": Zero1, "wrong": Unsynchronised}, SMALL)
    for ranks in zip(*seen.values(), strict=True):
        copy, cut, wrong = ranks
        assert copy.kinds == {"all_reduce": 1}
        assert copy.bytes == 4 * PARAMETERS
        assert wrong.kinds == {}
        held = cut.memory.parameters + cut.memory.gradients + cut.memory.optimizer_state
        assert held == state_bytes(PARAMETERS, 2, 1, (4, 4, 4))


def test_one_worker_in_pieces_sees_the_gradient_of_the_whole_batch():
    import torch

    def gradient(micro_batches):
        model = SMALL.model()
        Alone(model, torch.optim.SGD(model.parameters(), 0.1), SMALL.loss, micro_batches).step(
            SMALL.load(0)
        )
        return torch.cat([each.detach().flatten() for each in model.parameters()])

    torch.testing.assert_close(gradient(1), gradient(5), rtol=0, atol=1e-6)


def test_times_come_with_one_worker_beside_them():
    run = step_times(
        {"copy": DataParallel},
        SMALL,
        rounds=2,
        steps=2,
        alone={"in pieces": partial(Alone, micro_batches=2)},
        progress=False,
    )
    assert run.experiment == "perceptron_strategies"
    assert {(t.workers, t.phase) for t in run.timings} == {
        (1, "one worker"),
        (1, "in pieces"),
        (2, "copy"),
    }
    assert all(np.all(run.seconds(t.workers, t.phase) > 0) for t in run.timings)
    with pytest.raises(ValueError, match="workers must be at least 2 to cut anything, got 1"):
        step_times({}, SMALL, workers=1)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        step_times({}, SMALL, steps=0)


def test_a_timeline_holds_every_pass_once_and_none_before_what_it_waits_for():
    run = pipeline_timeline(SMALL, micro_batches=3, rounds=2, progress=False)
    found = {
        (stage, m, backward): (start, end)
        for stage, m, backward, start, end in measured_passes(run)
    }
    assert set(found) == {(i, m, b) for i in (0, 1) for m in range(3) for b in (False, True)}
    for m in range(3):
        assert found[0, m, False][1] < found[1, m, False][1]
        assert found[1, m, True][0] < found[0, m, True][0]
        assert found[1, m, False][1] <= found[1, m, True][0]
    for start, end in found.values():
        assert 0 < start < end < run.seconds(2).max()


def test_the_prediction_is_the_schedule_of_what_was_timed_alone():
    machine = Machine("bench", "Linux", "cpu", cores_usable=2.0, cores_present=2, memory_bytes=0)
    seconds = {"forward 0": 1.0, "forward 1": 1.0, "backward 0": 2.0, "backward 1": 2.0}
    timings = [Timing(1, name, (value,) * 3) for name, value in seconds.items()]
    timings += [Timing(2, "message", (1e-12,) * 3), Timing(2, "step", (20.0,) * 3)]
    parameters = {"order": "one_forward_one_backward", "micro_batches": 4}
    run = ScalingRun("t", machine, tuple(timings), parameters, "2026-01-01", 0.1, 0.1, 3)
    # (M + N - 1) (f + g) = 5 x 3
    assert predicted_timeline(run).seconds == pytest.approx(15.0)
    slow = [
        replace(t, seconds=(9.0, *t.seconds[1:])) if t.phase == "forward 1" else t for t in timings
    ]
    run = replace(run, timings=tuple(slow))
    assert predicted_timeline(run).seconds == pytest.approx(15.0)  # the median round
    assert predicted_timeline(run, 0).seconds > 4 * 9


def test_the_references_are_what_the_chapter_says_of_them():
    many, few = strategy_references.many_samples(), strategy_references.few_samples()
    assert many.batch == 2 * many.width
    assert 16 * few.batch == few.width
    cuts = strategy_references.pipelines()
    assert {"layer placement", "GPipe, M = 4", "1F1B, M = 4"} <= set(cuts)
    assert cuts["1F1B, M = 4"].func is Pipeline
    assert len(strategy_references.deep().model()) == 19
