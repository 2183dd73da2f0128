"""Faster parts compute what the plain ones do, and the experiments give what they say."""

import numpy as np
import pytest
import torch

from amdahl_lab.parallel import run_ranks
from amdahl_lab.parallel.acceleration import fusion, offload, parts, unequal
from amdahl_lab.parallel.acceleration.reader import part_of
from amdahl_lab.parallel.workloads import digits
from amdahl_lab.records import Machine, ScalingRun, Timing


def test_fused_attention_gives_the_same_odds():
    assert parts.largest_difference("fused attention") < 1e-4
    with pytest.raises(ValueError, match="name must be of"):
        parts.largest_difference("magic")


def test_a_faster_part_predicts_a_whole_that_is_slower_than_the_part():
    run = parts.before(["fused attention"], rounds=2, progress=False)
    assert parts.ways_of(run) == ("fused attention", "Adam in one kernel")
    for name in parts.ways_of(run):
        share, factor = parts.share(run, name).estimate, parts.factor(run, name).estimate
        assert 0 < share < 1
        low, high = sorted((1.0, factor))
        assert low <= parts.predicted(run, name).estimate * 1.0001
        assert parts.predicted(run, name).estimate <= high * 1.0001


def test_a_part_of_known_share_is_found():
    """A turn that reports a quarter of a clock of its own: the share must be that of the clock."""
    spent = [0.0]

    def turn():
        torch.mm(torch.ones(200, 200), torch.ones(200, 200))
        spent[0] += 0.25

    part, whole = part_of(turn, lambda: spent[0], 0.01)
    assert part == pytest.approx(0.25)
    assert whole > 0


def _run(phases):
    machine = Machine("m", "Linux", "p", 2, 2, 0)
    timings = tuple(Timing(1, phase, seconds) for phase, seconds in phases.items())
    return ScalingRun("parts", machine, timings, {}, "2026-01-01", 0.1, 0.1, 2)


@pytest.mark.parametrize(("after", "ratio"), [(0.6, 1.0), (0.5, 1.2)])
def test_a_kept_promise_is_told_from_a_broken_one(after, ratio):
    """0.6 of 1 s made 3 times as fast leave 0.4 + 0.2 s; the runs need not have as many rounds."""
    name = "fused attention"
    phases = {"in the whole": 0.6, "around it": 1.0, "as it is": 0.9, "faster": 0.3}
    promise = _run({f"{name}, {of}": (each, each) for of, each in phases.items()})
    found = _run({"answer": (1.0, 2.0, 1.0), name: (after, 2 * after, after)})
    kept = parts.kept(promise, found, name)
    assert kept.estimate == pytest.approx(ratio)
    assert parts.predicted(promise, name).estimate == pytest.approx(1 / 0.6)
    shaky = _run({"answer": (1.0, 1.0, 1.0), name: (after / 1.5, after, after * 1.5)})
    wide = parts.kept(promise, shaky, name)
    assert wide.estimate == pytest.approx(ratio)
    assert wide.low < 0.8 < 1.3 < wide.high


def test_the_blocks_write_what_the_whole_tensors_do():
    inputs, skipped = torch.randn(1000), torch.randn(1000)
    whole, pieces = torch.empty(1000), torch.empty(1000)
    fusion.layer_end(inputs, skipped, whole)
    fusion.in_blocks(inputs, skipped, pieces, 128)
    expected = torch.relu(1.1 * inputs + 0.1) + skipped
    assert torch.equal(whole, pieces)
    torch.testing.assert_close(whole, expected)


def test_passes_are_counted_as_with_a_pencil():
    x, y, out = (torch.ones(64) for _ in range(3))
    assert fusion.passes(lambda: torch.add(x, y, out=out), 64) == 3
    assert fusion.passes(lambda: x + y, 64) == 3
    assert fusion.passes(lambda: x.mul_(2.0), 64) == 2
    assert fusion.passes(lambda: x.view(8, 8), 64) == 0
    assert fusion.counted()[fusion.CHAIN] == 2 + 2 + 2 + 3


@pytest.mark.parametrize("first", [33, 0, 100])
def test_an_uneven_split_trains_what_one_worker_trains(first):
    assert unequal.largest_difference(first, taken=3) < 1e-5


def test_a_split_must_have_one_share_for_each_rank():
    workload = digits("small", 8, 0)

    def train():
        model = workload.model()
        with pytest.raises(ValueError, match="samples must be 2 numbers"):
            unequal.UnequalShares(model, workload.optimizer(model), workload.loss, [8])
        return True

    assert run_ranks(train, 2) == [True, True]


def test_the_journey_is_timed_in_every_phase():
    run = offload.offload_run((32, 96), rounds=2, progress=False)
    assert offload.sides_of(run) == [32, 96]
    for side in (32, 96):
        for phase in offload.PHASES:
            assert np.all(offload.seconds(run, phase, side) > 0)
    assert offload.speedups(run)["measured"].shape == (2, 2)
    even = offload.break_even(run, np.random.default_rng(0), draws=50)
    assert even.estimate > 0
    with pytest.raises(ValueError, match="device must be 'rank' or"):
        offload.offload_run((32,), 2, device="abacus", progress=False)


def test_what_came_back_is_the_product():
    def carry():
        import torch.distributed as dist

        left, right, out = torch.rand(8, 8), torch.rand(8, 8), torch.zeros(8, 8)
        expected = left @ right
        offload._visit(left, right, out, lambda: torch.mm(left, right, out=out))
        return dist.get_rank() == 1 or torch.allclose(out, expected)

    assert run_ranks(carry, 2) == [True, True]


def test_a_gpu_would_be_timed_by_the_same_phases():
    """The same code with the processor in place of a GPU; on a GPU, with the GPU as well."""
    for device in {"cpu", offload.gpu() or "cpu"}:
        found = offload.gpu_block(device, (16, 32))
        assert set(found) == {f"{phase}, {side}" for phase in offload.PHASES for side in (16, 32)}
        assert all(seconds > 0 for seconds in found.values())
