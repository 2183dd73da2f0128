"""The score of a diary: known chances, and readers whose confidence is known."""

import math

import numpy as np
import pytest

from amdahl_lab.diary import Prediction
from amdahl_lab.diary_score import score


def diary(ranges, outcomes, confidence=0.8):
    return [
        Prediction(f"q{k}", low, high, confidence, "2026-01-01", outcome)
        for k, ((low, high), outcome) in enumerate(zip(ranges, outcomes, strict=True))
    ]


def test_the_chance_of_so_few_hits_is_the_binomials():
    few = score(diary([(0.5, 1.5)] * 10, [1.0] * 5 + [9.0] * 5))
    # Of ten at 80%, five or fewer: the binomial's table says 0.0328; five or more 0.9936.
    assert (few.hits, few.expected) == (5, pytest.approx(8))
    assert few.chance_of_fewer == pytest.approx(0.0328, abs=5e-5)
    assert few.chance_of_more == pytest.approx(0.9936, abs=5e-5)
    assert "too sure" in str(few)


def test_confidences_that_differ_are_each_taken_at_their_word():
    sure = diary([(0, 1)], [5.0], 0.9)
    unsure = diary([(0, 1)], [0.5], 0.5)
    both = score(sure + unsure)
    assert both.chance_of_fewer == pytest.approx(1 - 0.9 * 0.5)  # all but both
    assert both.chance_of_more == pytest.approx(1 - 0.1 * 0.5)  # all but neither


def test_a_reader_whose_ranges_are_half_as_wide_is_told_to_double_them():
    rng = np.random.default_rng(4)
    outcomes = rng.normal(10, 1, 1000)
    right = 1.2816  # of a normal, 80% lies within so many standard deviations
    narrow = score(diary([(10 - right / 2, 10 + right / 2)] * 1000, outcomes))
    wide = score(diary([(10 - 2 * right, 10 + 2 * right)] * 1000, outcomes))
    good = score(diary([(10 - right, 10 + right)] * 1000, outcomes))
    assert narrow.stretch == pytest.approx(2, rel=0.1)
    assert wide.stretch == pytest.approx(0.5, rel=0.1)
    assert good.stretch == pytest.approx(1, rel=0.1)
    assert good.penalty < min(narrow.penalty, wide.penalty)
    assert "know more than you say" in str(wide)


def test_open_predictions_wait_and_an_empty_diary_is_no_error():
    waiting = Prediction("q", 1, 2, 0.8, "2026-01-01")
    assert str(score([waiting])) == "no prediction has an outcome yet; 1 open"
    assert score([]).answered == 0


def test_a_range_without_width_that_missed_no_factor_can_save():
    assert score(diary([(2, 2)], [3.0])).stretch == math.inf
    assert score(diary([(3, 3)], [3.0])).stretch == 0
