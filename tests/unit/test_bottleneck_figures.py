"""Figures of what a step waits for: what is drawn, and what its words say."""

import pytest

from amdahl_lab import figures
from amdahl_lab.records import Interval


def around(value):
    return Interval(value, 0.9 * value, 1.1 * value)


def test_a_roofline_is_a_slope_and_a_flat_roof_and_names_its_misses():
    _, axes = figures.canvas()
    points = {"sum": (0.25, around(5e9)), "product": (100.0, around(90e9))}
    alt = figures.roofline(axes, around(100e9), around(20e9), points, apart=["sum"])
    roof = axes.lines[0]
    x, y = roof.get_data()
    assert y[0] == pytest.approx(20 * x[0])  # GFLOP/s on the slope: bandwidth times intensity
    assert y[-1] == pytest.approx(100)
    assert "sum 5 (a miss)" in alt
    assert alt.endswith("product 90.")
    faces = [bar.lines[0].get_markerfacecolor() for bar in axes.containers]
    assert faces == ["white", figures.COLOURS["measured"]]


def test_predictions_outside_the_stated_band_are_hollow():
    _, axes = figures.canvas()
    rows = {"hit": around(1.2), "slow": around(4.0), "fast": around(0.5)}
    alt = figures.over_prediction(axes, rows, within=1.5, ratio="measured over predicted")
    assert "hit 1.20;" in alt
    assert "slow 4.00 (a miss)" in alt
    assert "fast 0.50 (a miss)" in alt


def test_messages_are_drawn_in_kib_and_milliseconds():
    _, axes = figures.canvas()
    alt = figures.message_times(axes, {4096: around(0.5e-3)}, ([4096, 8192], [0.5e-3, 0.6e-3]))
    assert axes.lines[0].get_xdata().tolist() == [4, 8]
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.5, 0.6])
    assert "4 KiB 0.5 ms" in alt


def test_a_spread_counts_every_time_and_marks_what_it_is_told():
    _, axes = figures.canvas()
    seconds = [0.4e-3] * 7 + [4e-3] * 3
    alt = figures.spread(axes, seconds, marks={"mean": 1.48e-3})
    assert sum(patch.get_height() for patch in axes.patches) == 10
    assert "10 times from 0.4 to 4 ms: mean 1.5 ms" in alt
