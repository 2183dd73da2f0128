"""Times to a target against published numbers, and what a comparison can see."""

import numpy as np
import pytest

from amdahl_lab.deciding import first_alarm, smallest_visible
from amdahl_lab.statistics import coverage
from amdahl_lab.survival import kaplan_meier, restricted_mean, restricted_ratio

# Weeks of remission under 6-mercaptopurine; Freireich et al., Blood 21, 1963. Stopped while still
# in remission: the second row.
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STOPPED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
WEEKS = RELAPSED + STOPPED
SEEN = [True] * len(RELAPSED) + [False] * len(STOPPED)


def test_the_curve_is_the_published_one():
    curve = kaplan_meier(WEEKS, SEEN)
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    published = [
        0.857,
        0.807,
        0.753,
        0.690,
        0.627,
        0.538,
        0.448,
    ]  # in every textbook on the subject
    np.testing.assert_allclose(curve.share, published, atol=5e-4)
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.median == 23


def test_without_stopped_runs_it_is_the_plain_mean_with_its_plain_interval():
    times = np.array([3.0, 5.0, 8.0, 13.0, 21.0])
    found = restricted_mean(times, [True] * 5, 21.0)
    half = 2.7764451 * times.std(ddof=1) / np.sqrt(5)  # Student's t, 4 degrees of freedom
    assert found.estimate == pytest.approx(times.mean())
    # The last arrival is at the limit, so four of the five count as events: freedom 3, not 4.
    assert found.high - found.estimate == pytest.approx(half, rel=0.25)
    wide = restricted_mean(times, [True] * 5, 30.0)
    assert wide.high - wide.estimate == pytest.approx(half)


def test_runs_that_were_all_stopped_together_count_with_the_limit():
    times, reached = [2, 4, 6, 6], [True, True, False, False]
    assert restricted_mean(times, reached, 6).estimate == pytest.approx((2 + 4 + 6 + 6) / 4)
    assert kaplan_meier(times, reached).median == 4
    assert kaplan_meier([6, 6, 6], [False] * 3).median == np.inf


def test_a_limit_before_the_last_arrival_cuts_every_run_there():
    times, reached = [1, 2, 3, 4], [True] * 4
    assert restricted_mean(times, reached, 2.5).estimate == pytest.approx((1 + 2 + 2.5 + 2.5) / 4)


def test_a_run_that_was_lost_early_leaves_its_share_to_the_others():
    # By hand: 1 until 1, when one of three arrives; then 2/3, for a run lost at 2 changes nothing.
    found = restricted_mean([1, 2, 4], [True, False, True], 4)
    assert found.estimate == pytest.approx(1 + 2 / 3 * 3)


@pytest.mark.parametrize("runs", [10, 30])
def test_the_interval_of_the_ratio_keeps_its_level(runs):
    def trial(rng):
        a, b = (np.minimum(rng.exponential(scale, runs), 3.0) for scale in (2.0, 1.0))
        found = restricted_ratio((a, a < 3.0), (b, b < 3.0), (3.0, 3.0))
        truth = 2 * (1 - np.exp(-1.5)) / (1 - np.exp(-3.0))  # integrals of exp(-t / scale)
        return truth in found

    assert 0.93 < coverage(trial, 2000, seed=5).estimate < 0.975


def test_the_ratio_of_two_sets_that_never_arrive_is_that_of_their_limits():
    found = restricted_ratio(([9, 9], [False] * 2), ([3, 3], [False] * 2), (9, 3))
    assert (found.low, found.estimate, found.high) == (3, 3, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kaplan_meier([], []), "times"),
        (lambda: kaplan_meier([1.0, -1.0], [True, True]), "times"),
        (lambda: kaplan_meier([1.0], [True, False]), "same length"),
        (lambda: restricted_mean([1.0, 2.0], [True, False], 3.0), "until must be at most 2"),
        (lambda: smallest_visible(0.1, 1), "rounds"),
        (lambda: smallest_visible(0.0, 5), "spread"),
        (lambda: first_alarm([0.1, 0.2], [1]), "looks"),
        (lambda: first_alarm([0.1, 0.2], [3]), "looks"),
    ],
)
def test_bad_input_gets_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_smallest_visible_difference_is_that_of_the_tables():
    # Cohen's tables: a paired test sees half a standard deviation in 8 of 10 cases with 34 pairs.
    assert smallest_visible(1.0, 34) < 0.5 < smallest_visible(1.0, 33)
    assert smallest_visible(0.02, 40) == pytest.approx(0.02 * smallest_visible(1.0, 40))


def test_looking_again_and_again_raises_alarms_at_the_published_rate():
    # Armitage, McPherson and Rowe, 1969: at 5% a look, 8.3% with two looks and 14.2% with five.
    rng = np.random.default_rng(11)
    differences = rng.standard_normal((20_000, 300))
    for looks, rate in (([300], 0.05), ([150, 300], 0.083), ([60, 120, 180, 240, 300], 0.142)):
        assert np.mean(first_alarm(differences, looks) > 0) == pytest.approx(rate, abs=0.008)


def test_the_first_of_several_alarms_is_told():
    steady = [1.0, 1.1, 0.9, 1.0, 1.0, 1.1]
    assert first_alarm([steady, [1, -1, 1, -1, 1, -1]], [3, 5, 6]).tolist() == [3, 0]


def test_a_look_at_few_rounds_raises_no_more_false_alarms_than_it_says():
    differences = np.random.default_rng(3).standard_normal((20_000, 4))
    assert np.mean(first_alarm(differences, [4]) > 0) == pytest.approx(0.05, abs=0.006)
