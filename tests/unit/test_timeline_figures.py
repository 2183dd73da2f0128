"""Timelines and what is held, as they are drawn."""

import pytest

from amdahl_lab import figures
from amdahl_lab.schedule import gpipe


def test_a_timeline_is_drawn_where_its_passes_are_and_says_how_full_it_is():
    _, axes = figures.canvas()
    timeline = gpipe(2, 2).timeline(1.0, 2.0)
    alt = figures.passes(axes, {"GPipe": figures.passes_of(timeline, 10)}, unit="ms")
    # Two stages, two micro-batches: (M + N - 1) (f + g) = 9 units; 12 of 18 are filled.
    assert "the last pass ends at 90 ms" in alt
    assert "passes fill 67% of the rows" in alt
    bars = [(p.get_x(), p.get_width(), p.get_y()) for p in axes.patches]
    assert len(bars) == 2 + 8  # a grey row behind each stage
    assert (pytest.approx(10), pytest.approx(10), pytest.approx(0.6)) in bars  # F1 of stage 1
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worker 0", "worker 1"]


def test_predictions_are_dashed():
    _, axes = figures.canvas()
    rows = [figures.Pass(0, 0, False, 0.0, 1.0), figures.Pass(0, 0, True, 1.0, 3.0)]
    figures.passes(axes, {"run": rows, "plan": rows}, unit="ms", predicted=["plan"])
    styles = [p.get_linestyle() for p in axes.patches]
    assert styles.count("--") == 2


def test_what_is_held_is_stacked():
    _, axes = figures.canvas()
    bars = {
        "copy": {"parameters": 2.0, "gradients": 2.0},
        "cut": {"parameters": 1.0, "gradients": 0.5},
    }
    alt = figures.held(axes, bars, unit="GiB")
    assert "copy 4" in alt
    assert "cut 1.5" in alt
    assert max(p.get_x() + p.get_width() for p in axes.patches) == 4.0
