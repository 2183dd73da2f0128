"""The figures of comparisons draw what they are given and say it."""

import numpy as np

from amdahl_lab import figures
from amdahl_lab.records import Interval
from amdahl_lab.survival import kaplan_meier


def test_wrong_stands_beside_right():
    _, axes = figures.canvas()
    rows = {"cold start": (2.5, Interval(1.0, 0.98, 1.02)), "no wait": (900, Interval(1, 0.9, 1.1))}
    alt = figures.wrong_and_right(axes, rows)
    assert "cold start 2.5 instead of 1" in alt
    assert [label.get_text() for label in axes.get_yticklabels()] == list(rows)
    assert axes.lines[1].get_xdata()[0] == 2.5
    assert list(axes.lines[2].get_xdata()) == [0.98, 1.02]
    assert axes.lines[3].get_xdata()[0] == 1.0


def test_limits_are_written_beside_the_shares():
    _, axes = figures.canvas()
    alt = figures.limits(axes, {"dense": Interval(0.5, 0.4, 0.6)}, {"dense": Interval(2, 1.7, 2.5)})
    assert "dense 50%, at most 2.00 times" in alt
    assert axes.patches[0].get_width() == 50
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [40, 60])
    assert axes.texts[0].get_text() == "at most 2.00×"


def test_arrivals_end_where_the_runs_were_stopped():
    _, axes = figures.canvas()
    curve = kaplan_meier([10, 20, 30, 30], [True, True, False, False])
    alt = figures.arrivals(axes, {"SGD": curve}, 30, quantity="steps")
    assert "SGD 50%" in alt
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0, 25, 50, 50])
