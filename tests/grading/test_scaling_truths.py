"""What the probes and checks of chapter 5 do, against plain queues, slopes and counts by hand."""

import copy
import heapq
import pickle
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.distributed as dist

from amdahl_lab.grading import resume_probe, scheduling_probe
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking
from amdahl_lab.grading.long_training import LongTraining
from amdahl_lab.grading.refusals import RefusalCheck

SETTINGS = {"seed": 4, "layers": [3, 5, 2], "samples": 11, "batch": 4}


def test_a_step_of_the_long_training_goes_down_the_slope_of_its_batch():
    training = LongTraining(**SETTINGS)
    rng = copy.deepcopy(training.rng)
    chosen = rng.permutation(11)[:4]
    inputs = torch.tensor(training._inputs[chosen] + rng.normal(scale=0.1, size=(4, 3)))
    targets = torch.tensor(training._targets[chosen])
    model, before = copy.deepcopy(training.model), training.state()["parameters"]

    def loss(parameters):
        row = torch.tensor(parameters, dtype=torch.float64)
        torch.nn.utils.vector_to_parameters(row, model.parameters())
        return ((model(inputs) - targets) ** 2).mean().item()

    nudges = 1e-6 * np.eye(len(before))
    slopes = [(loss(before + nudge) - loss(before - nudge)) / 2e-6 for nudge in nudges]
    training.step()
    moved = np.subtract(training.state()["parameters"], before)
    np.testing.assert_allclose(moved, -0.05 * np.array(slopes), rtol=1e-5, atol=1e-9)


def test_an_epoch_of_the_long_training_takes_no_sample_twice_and_the_rate_falls():
    training, seen = LongTraining(**SETTINGS), []
    for step in range(1, 9):
        left = list(training.left)
        training.step()
        if len(left) >= 4:  # in the middle of an epoch: the first four are gone
            assert training.left == left[4:]
        seen.append(len(training.left))
        assert training.state()["rates"] == pytest.approx([0.05 * 0.98**step])
    assert seen == [7, 3] * 4  # of 11 samples, four at a time
    assert training.steps == 8


def refused(answers):
    """Points and hint for a function that says this of NaN, of -1 and of 1."""
    cases = [((np.nan,), "no NaN"), ((-1.0,), "nothing below 0"), ((1.0,), "")]
    check = RefusalCheck(Item("x", 1, "x"), "f", lambda rng: cases, otherwise="too strict")
    asked = SimpleNamespace(ask=lambda *question, **settings: answers)
    (verdict,) = check.mark(Marking(asked, 1))
    return verdict.points, verdict.hint


def test_only_a_function_that_refuses_what_it_must_and_nothing_else_gets_the_point():
    no, yes, none = {"raised": "ValueError"}, {"value": 3.0}, {"value": None}
    assert refused([no, no, yes])[0] == 1
    assert refused([yes, no, yes]) == (0, "no NaN")
    assert refused([no, none, yes]) == (0, "nothing below 0")
    assert refused([no, no, no]) == (0, "too strict")
    assert refused([none, none, none]) == (0, NOT_WRITTEN)
    points, hint = refused([no, {"raised": "KeyError"}, yes])
    assert points == 0
    assert "KeyError" in hint


def save(training, folder):
    """Write all that there is, in one go."""
    held = (training.model, training.optimiser, training.rng, training.left, training.steps)
    (folder / "new").write_bytes(pickle.dumps(held))
    (folder / "new").replace(folder / "old")


def resume(training, folder):
    """Take over all that there is."""
    if (folder / "old").exists():
        held = pickle.loads((folder / "old").read_bytes())
        training.model, training.optimiser, training.rng, training.left, training.steps = held


def test_lives_end_and_go_on_where_a_count_by_hand_says():
    kills = [["step", 2], ["step", 7], ["change", 0], ["write", 50], ["end", 14]]
    (told,) = resume_probe.play(
        "",
        (save, resume),
        workers=1,
        seconds=30.0,
        kills=kills,
        training=SETTINGS,
        every=3,
        unbroken=14,
        halved=1,
    )
    assert [life[0] for life in told] == ["killed"] * 4 + [""]
    states = [dict(map(tuple, life[1:])) for life in told]
    # Saves at 3 and 6 of 7 steps; then at 9, dying at 12; then at 12, dying at 15.
    assert [life["resumed"]["steps"] for life in states] == [0, 0, 6, 9, 12]
    unbroken = states[0]["unbroken"]
    assert all(life["resumed"] == unbroken[life["resumed"]["steps"]] for life in states)
    assert states[-1]["ended"] == unbroken[14]
    assert [state["rates"][0] for state in unbroken[:3]] == pytest.approx(
        [0.05, 0.05 * 0.98 / 2, 0.05 * 0.98**2 / 2]
    )


def free_takes_next(units, do, store):
    """Right, for a single call."""
    mine = {}
    while (unit := store.add("taken", 1) - 1) < units:
        mine[unit] = do(unit)
    parts = [None] * dist.get_world_size()
    dist.all_gather_object(parts, mine)
    return [value for _, value in sorted((k, v) for part in parts for k, v in part.items())]


def dealt_out(units, do, store):
    """Every second unit to each of two ranks."""
    for unit in range(dist.get_rank(), units, 2):
        do(unit)


def book_of(work_off, costs):
    """What two ranks return and the book of one call."""
    calls = [{"units": len(costs[0]), "costs": costs}]
    settings = {"seconds": 30.0, "seed": 8, "calls": calls, "patience": 4.0}
    told = scheduling_probe.play("", (work_off,), workers=2, **settings)
    return [returned[0] for returned, _ in told], told[0][1][0]


def test_the_clock_of_the_ranks_is_that_of_a_queue():
    costs = np.random.default_rng(2).uniform(1, 4, size=(2, 9))
    costs[1] *= 3
    returned, book = book_of(free_takes_next, costs.tolist())
    assert returned[0] == returned[1] == [scheduling_probe.result(8, 0, unit) for unit in range(9)]
    # Whose clock is least takes the next unit; which of two equal ranks begins is open.
    (_, first), (_, second) = book["begun"][:2]
    assert {first, second} == {0, 1}
    queue = [(costs[first, 0], first), (costs[second, 1], second)]
    heapq.heapify(queue)
    expected = [[0, first], [1, second]]
    for unit in range(2, 9):
        now, rank = heapq.heappop(queue)
        expected.append([unit, rank])
        heapq.heappush(queue, (now + costs[rank, unit], rank))
    assert sorted(book["begun"][:2]) == expected[:2]
    assert book["begun"][2:] == expected[2:]
    assert book["idle"] == []


def test_a_rank_without_work_is_seen_with_what_is_left():
    costs = [[1.0] * 6, [10.0] * 6]
    _, book = book_of(dealt_out, costs)
    # Rank 0 is done with 0, 2 and 4 before rank 1 has done its first; 3 and 5 are left.
    assert book["idle"] == [[0, 2]]


@pytest.mark.parametrize("chapter", ["05_scaling_resources"], indirect=True, scope="session")
def test_ranks_that_wait_without_end_cost_their_seconds_and_get_a_hint(session, assignment, seed):
    setup = "import torch.distributed as dist\n"
    code = "def work_off(units, do, store):\n    if dist.get_rank() == 0: dist.barrier()"
    session.run(setup + code)
    (check,) = assignment.checks["check_3_schedule"]
    verdicts = replace(check, seconds=2.0).mark(Marking(session, seed))
    assert [verdict.points for verdict in verdicts] == [0] * 4
    assert "wait for each other without end" in verdicts[0].hint


@pytest.mark.parametrize("chapter", ["05_scaling_resources"], indirect=True, scope="session")
def test_a_speedup_of_the_fan_leads_back_to_the_ends_that_were_measured(assignment):
    assert assignment.checks
    fans = sys.modules["hidden_checks_05_scaling_resources.fans"]
    low, high = fans.speedup_range(4, 3.0, 3.4, [4.0])[:, 0]
    assert (low, high) == pytest.approx((3.0, 3.4))
