"""Fans, studies, batches, goodput and plans, as they are drawn and as they are told."""

import numpy as np
import pytest

from amdahl_lab import figures
from amdahl_lab.records import Interval


def test_a_fan_is_open_between_its_ends_and_says_how_wide():
    _, axes = figures.canvas()
    alt = figures.fan(axes, [1, 64], [1, 8], [1, 64], label="3 to 4 on 4")
    assert "on 64 workers between 8 and 64" in alt
    assert [line.get_ydata()[-1] for line in axes.lines] == [8, 64]


def test_studies_are_rows_beside_the_truth():
    _, axes = figures.canvas()
    rows = {"few": Interval(20, 10, 40), "many": Interval(16, 15, 17)}
    alt = figures.futures(axes, rows, 15.4, quantity="speedup")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["few", "many"]
    assert list(axes.lines[0].get_xdata()) == [10, 40]
    assert list(axes.lines[-1].get_xdata()) == [15.4, 15.4]
    assert "few: 20 (95% interval 10 to 40)" in alt


def test_batches_have_their_bars_and_the_law_its_band():
    _, axes = figures.canvas()
    measured = {8: Interval(100, 90, 110), 64: Interval(40, 35, 45)}
    band = np.array([[90, 30], [110, 50]])
    alt = figures.batch_curve(axes, [8, 64], measured, [100, 40], band, quantity="steps")
    (segments,) = axes.containers[0].lines[2]
    assert segments.get_segments()[0][:, 1].tolist() == [pytest.approx(90), pytest.approx(110)]
    corners = axes.collections[0].get_paths()[0].vertices.tolist()
    assert all([B, end] in corners for B, end in ((8, 90), (8, 110), (64, 30), (64, 50)))
    assert "100 at batch 8; 40 at batch 64" in alt


def test_goodput_is_marked_at_the_chosen_intervals():
    _, axes = figures.canvas()
    alt = figures.goodputs(
        axes,
        [1, 10],
        {"exact": [0.8, 0.9]},
        {5.0: Interval(0.85, 0.84, 0.86)},
        {"Young": 6.0},
        unit="min",
    )
    assert list(axes.lines[-1].get_xdata()) == [6.0, 6.0]
    assert "85.0% at 5 min" in alt


def test_plans_name_the_chosen_and_draw_the_frontier_in_order():
    _, axes = figures.canvas()
    alt = figures.plans(axes, [4, 2, 3], [1, 5, 6], [1, 0], {1: "two"}, deadline=3)
    assert axes.lines[1].get_xdata().tolist() == [2, 4]
    assert list(axes.lines[2].get_xdata()) == [3, 3]
    assert axes.lines[3].get_xdata().tolist() == [2]
    assert "two: 2 hours for 5 worker-hours" in alt
