"""Figures of the case studies draw what they are given and say it in words."""

import numpy as np
import pytest

from amdahl_lab import figures
from amdahl_lab.figures.case_studies import GUESSES, SIDES
from amdahl_lab.time_to_train import BASELINES, LAWS


def test_every_law_that_guesses_has_a_mark_of_its_own():
    assert set(GUESSES) == {*LAWS, *BASELINES}
    assert len(set(GUESSES.values())) == len(GUESSES)


def test_guesses_stand_at_their_ratio_and_missing_ones_nowhere():
    _, axes = figures.canvas()
    alt = figures.guesses(axes, {"V1": {"Amdahl": 0.25, "Amdahl per step": None}})
    (mark, line) = axes.lines
    assert mark.get_xydata().tolist() == [[1.25, 0]]
    assert line.get_xdata()[0] == 1
    assert "V1: Amdahl +25%" in alt
    assert "per step" not in alt


def test_losses_stand_end_to_end_and_multiply_to_the_whole():
    _, axes = figures.canvas()
    alt = figures.losses(axes, {"V4": {"machine": 0.5, "optimiser": 0.4}})
    machine, optimiser = axes.patches
    assert (machine.get_x(), machine.get_x() + machine.get_width()) == (1, 2)
    assert (optimiser.get_x(), optimiser.get_x() + optimiser.get_width()) == pytest.approx((2, 5))
    assert "machine 2.00, optimiser 2.50" in alt
    assert len({hatch for _, hatch in SIDES.values()}) == 2  # told apart without colour


def test_a_ridge_says_where_it_begins_and_ends():
    _, axes = figures.canvas()
    x, y = np.linspace(0, 1, 21), np.linspace(0, 2, 21)
    surface = 1000 * (x[:, None] + y[None] / 2 - 0.5) ** 2
    alt = figures.ridge(axes, x, y, surface, level=5.99, marked={"one end": (0.5, 0.0)})
    assert "a contention of 0.55" in alt
    assert "a coherency of 1.1" in alt


def test_points_on_the_law_are_said_to_be_on_it():
    _, axes = figures.canvas()
    alt = figures.collapse(axes, {"a": ([1.0, 3.0], [0.5, 0.75]), "b": ([1.0], [0.45])})
    assert alt.startswith("3 points of 2 series")
    assert "10% off" in alt


def test_batches_and_samples_are_drawn_over_each_other():
    _, axes = figures.canvas()
    alt = figures.chosen_batches(axes, {"a": ([100, 200], [100, 400])})
    assert "from 1.00 to 2.00" in alt
    _, axes = figures.canvas()
    alt = figures.samples(axes, {"a": ([10, 100], [110.0, 200.0])}, {"a": (100.0, 100.0)})
    assert "a doubles at 100" in alt
    assert axes.lines[1].get_ydata().tolist() == [1.1, 2.0]


def test_missed_ranges_are_dashed_and_named():
    _, axes = figures.canvas()
    alt = figures.ranges(axes, [("q1", 1.0, 3.0, 2.0), ("q2", 1.0, 3.0, 4.0)], logarithmic=True)
    held, missed, _ = axes.lines
    assert (held.get_linestyle(), missed.get_linestyle()) == ("-", "--")
    assert held.get_xdata().tolist() == [0.5, 1.5]
    assert alt == "1 of 2 predicted ranges hold their outcome; missed: q2."
