"""The three small runs: what they record, and that what they time is the same training."""

import time

import numpy as np
import pytest

from amdahl_lab.parallel import case_studies, equality
from amdahl_lab.parallel.failures import RankError
from amdahl_lab.parallel.ranks import run_ranks
from amdahl_lab.parallel.workloads import TEXT_SIZES, clicks, digits, text
from amdahl_lab.parallel.workloads.advertising import Clicks

PAUSE = 0.05  # seconds


def test_time_to_target_counts_whole_steps_of_the_same_training_on_any_number_of_workers():
    runs = case_studies.time_to_target(
        (128, 256), (1, 2), 2, target=0.3, size="small", progress=False
    )
    assert set(runs) == {128, 256}
    for batch, run in runs.items():
        assert run.parameters["batch"] == batch
        assert run.phases == ("step", "to target")
        one, two = (case_studies.steps_taken(run, N) for N in (1, 2))
        # Sums in another order may cross the target one look earlier or later, and no more.
        look = max(1, 512 // batch)
        assert np.abs(np.subtract(one, two)).max() <= 2 * look
        assert all(steps % look == 0 for steps in one + two)


def test_rounds_differ_in_their_seed_and_numbers_of_workers_do_not():
    taken = [
        case_studies._once_a_round(1, lambda word, seed: {"step": 1.0 + seed}, "x") for _ in "ab"
    ]
    assert [block()["step"] for _ in range(2) for block in taken] == [1.0, 1.0, 2.0, 2.0]


def test_a_target_that_is_never_met_ends_with_a_sentence():
    with pytest.raises(RankError, match="not reached after"):
        case_studies.time_to_target(
            (256,), (1,), 2, target=0.999999, size="small", most_samples=512, progress=False
        )


@pytest.mark.parametrize(
    ("workload", "cuts", "calls"),
    [
        (
            text("small", 16),
            case_studies.text_cuts(text("small", 16), micro_batches=4),
            # Two sums forward and two backward in each block; each micro-batch there and back.
            ({"all_reduce": 4 * TEXT_SIZES["small"][0]}, {"send": 4, "recv": 4}),
        ),
        (
            clicks("small", 256),
            case_studies.click_cuts(),
            # Row numbers, rows, their gradients; and one sum of all that is no table.
            ({"all_reduce": 1}, {"all_reduce": 1, "all_to_all": 3}),
        ),
    ],
)
def test_every_cut_computes_the_same_sends_its_own_way_and_is_timed(workload, cuts, calls):
    differences = equality.differences_by_strategy(cuts, workload, steps=2)
    assert max(differences.values()) < 1e-5
    sent = case_studies.sent_in_a_step(workload, cuts)
    assert tuple(made for made, _ in sent.values()) == calls
    assert all(size > 0 for _, size in sent.values())
    runs = case_studies.cut_scaling(workload, cuts, 2, steps=2, progress=False)
    for run in runs.values():
        assert run.workers == (1, 2)
        assert (run.seconds(2, "exchange") < run.seconds(2)).all()
    first, second = runs.values()
    assert np.array_equal(first.seconds(1), second.seconds(1))  # one baseline for all


class Sleeper(Clicks):
    """The click model with a pause before each forward pass."""

    def loss(self, model, batch):
        time.sleep(PAUSE)
        return super().loss(model, batch)


@pytest.mark.parametrize("cut", case_studies.click_cuts().values())
def test_what_a_rank_computes_is_no_exchange(cut):
    """On any rank one thing follows another, so a step is at least its pause and its exchange."""
    asleep = Sleeper(**vars(clicks("small", 64)))
    for seconds in run_ranks(case_studies.cut_block, 2, asleep, cut, 2):
        assert seconds["exchange"] <= seconds["step"] - PAUSE


def test_sharded_tables_send_less_than_every_table_everywhere():
    sent = case_studies.sent_in_a_step(clicks(), case_studies.click_cuts())
    parameters = sum(each.numel() for each in clicks().model().parameters())
    assert sent["data parallel"][1] == 4 * parameters  # all gradients, in 4 bytes each
    assert sent["sharded embeddings"][1] < sent["data parallel"][1] / 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: case_studies.time_to_target(target=1.0), "target must be inside 0 to 1"),
        (lambda: case_studies.time_to_target((64, 64)), "batches must be different"),
        (
            lambda: case_studies.cut_scaling(digits(), {}, workers=1),
            "workers must be at least 2",
        ),
        (lambda: case_studies.cut_scaling(digits(), {}, steps=0), "steps must be at least 1"),
    ],
)
def test_bad_numbers_are_refused_before_anything_runs(call, words):
    with pytest.raises(ValueError, match=words):
        call()
