"""Figures say in words what they draw, and draw what they are given."""

import struct

import pytest

from amdahl_lab import figures
from amdahl_lab.fitting import FITS
from amdahl_lab.records import Interval


def test_a_picture_carries_its_alternative_text_and_is_small():
    figure, axes = figures.canvas()
    alt = figures.laws(axes, [1, 2, 4], {"s = 0.1": [1.0, 1.8, 3.1]})
    data, metadata = figures.Picture(figure, alt)._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == alt
    assert "s = 0.1 reaches 3.1" in alt
    assert data["image/png"].startswith(b"\x89PNG")
    assert len(data["image/png"]) < 100_000
    assert struct.unpack(">I", data["image/png"][16:20])[0] > 600  # pixels across


def test_a_picture_without_words_is_refused():
    figure, _ = figures.canvas()
    with pytest.raises(ValueError, match="alt must tell"):
        figures.Picture(figure, "  ")


def test_oversubscribed_points_are_hollow_and_said_to_be():
    _, axes = figures.canvas()
    points = {2: Interval(1.8, 1.7, 1.9), 4: Interval(1.5, 1.2, 1.9)}
    alt = figures.measured(axes, points, label="here", oversubscribed=[4])
    markers = [bar.lines[0].get_markerfacecolor() for bar in axes.containers]
    assert markers == [figures.COLOURS["measured"], "none"]
    assert "1.50 (95% interval 1.20 to 1.90) on 4 workers (oversubscribed)" in alt


def test_error_bars_end_where_the_interval_ends():
    _, axes = figures.canvas()
    figures.measured(axes, {2: Interval(1.8, 1.7, 2.1)}, label="here")
    (segments,) = axes.containers[0].lines[2]
    ends = segments.get_segments()[0][:, 1]
    assert sorted(ends) == [pytest.approx(1.7), pytest.approx(2.1)]


def test_stacked_bars_add_up():
    _, axes = figures.canvas()
    alt = figures.stacked_times(axes, {"N = 2": {"serial": 10.0, "compute": 45.0}})
    tops = [patch.get_y() + patch.get_height() for patch in axes.patches]
    assert tops == [10.0, 55.0]
    assert "serial 10, compute 45, together 55" in alt


def test_no_two_meanings_share_a_colour():
    meanings = {name: figures.COLOURS[name] for name in ("compute", "communication", "waiting")}
    meanings["serial"] = figures.COLOURS["serial"]
    assert len({*meanings.values(), *figures.CURVES}) == len(meanings) + len(figures.CURVES)


def test_intervals_draw_the_known_truth():
    _, axes = figures.canvas()
    rows = {"run 1": Interval(0.11, 0.09, 0.13)}
    alt = figures.intervals(axes, rows, quantity="s", truth=0.1)
    assert "the true value is 0.1" in alt
    assert any(line.get_xdata()[0] == 0.1 for line in axes.lines)


def test_laws_are_dashed_where_nothing_was_measured():
    _, axes = figures.canvas()
    S = [Interval(1, 1, 1), Interval(1.8, 1.7, 1.9), Interval(3.0, 2.6, 3.5)]
    alt = figures.fitted(axes, [1, 2, 4], {"Amdahl": S}, measured_to=2)
    solid, dashed = axes.lines
    assert (solid.get_linestyle(), list(solid.get_xdata())) == ("-", [1, 2])
    assert (dashed.get_linestyle(), list(dashed.get_xdata())) == ("--", [2, 4])
    assert solid.get_color() == dashed.get_color() == figures.LAWS["Amdahl"]
    assert "Amdahl 3 (95% interval 2.6 to 3.5)" in alt


def test_every_fitted_law_has_a_colour_of_its_own():
    assert set(figures.LAWS) == set(FITS)
    assert len(set(figures.LAWS.values())) == len(figures.LAWS)
    assert not set(figures.LAWS.values()) & {
        figures.COLOURS[name] for name in ("compute", "communication", "waiting", "serial")
    }


def test_single_values_have_no_bars():
    _, axes = figures.canvas()
    alt = figures.measured(axes, {2: Interval(1.8, 1.8, 1.8)}, label="here")
    assert "interval" not in alt
    assert axes.get_legend_handles_labels()[1] == ["here"]


def test_speedups_over_several_workers_have_their_own_perfect_line():
    _, axes = figures.canvas()
    figures.speedup_axes(axes, 64, reference=8)
    assert axes.lines[0].get_xydata().tolist() == [[8, 1], [64, 8]]
    assert axes.get_ylabel() == "speedup S over 8 workers"


def test_a_saved_picture_carries_its_words_and_replaces_nothing(tmp_path):
    figure, _ = figures.canvas()
    picture = figures.Picture(figure, "the words")
    for name in ("a.png", "a.svg"):
        picture.save(tmp_path / name)
        assert b"the words" in (tmp_path / name).read_bytes()
        with pytest.raises(FileExistsError):
            picture.save(tmp_path / name)
    with pytest.raises(ValueError, match=r"path must end in .png or .svg, got"):
        picture.save(tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_shares_fill_the_bar_and_say_their_per_cent():
    _, axes = figures.canvas()
    alt = figures.shares(axes, {"time": {"a": 1.0, "b": 3.0}, "FLOPs": {"a": 5.0, "b": 5.0}})
    ends = [patch.get_x() + patch.get_width() for patch in axes.patches]
    assert ends == pytest.approx([25, 100, 50, 100])
    assert "time: a 25%, b 75%" in alt


def test_rates_are_drawn_in_gigaflops_and_named():
    _, axes = figures.canvas()
    alt = figures.rates(axes, {"dense": (85.0, Interval(9e10, 8e10, 1e11))}, ceiling=9e10)
    assert axes.containers[0].lines[0].get_ydata()[0] == pytest.approx(90)
    assert [text.get_text() for text in axes.texts] == ["dense"]
    assert "dense: 85 FLOPs per byte, 90 GFLOP/s" in alt


def test_a_tail_without_an_upper_bound_has_an_arrow_and_no_end():
    _, axes = figures.canvas()
    bounded, open_ended = Interval(0.002, 0.001, 0.004), Interval(0.002, 0.001, float("inf"))
    alt = figures.tails(axes, [1, 4], {"p99": [bounded, open_ended]})
    assert "2 ms (1 to 4)" in alt
    assert "2 ms (1 to inf)" in alt
    arrows = [
        any(cap.get_marker() not in ("_", "|") for cap in bar.lines[1]) for bar in axes.containers
    ]
    assert arrows == [False, True]


def test_growth_tells_where_the_line_leads():
    _, axes = figures.canvas()
    alt = figures.growth(
        axes,
        [2012.0, 2020.0],
        [1e18, 1e23],
        line=([2012, 2020], [1e18, 1e23]),
        names={"GPT-3": (2020.0, 1e23)},
    )
    assert "from 1.0e+18 in 2012 to 1.0e+23 in 2020" in alt
    assert axes.get_yscale() == "log"


def test_effects_start_at_one():
    _, axes = figures.canvas()
    alt = figures.effects(axes, {"twice the data": 2.0, "twice the loaders": 0.5}, quantity="time")
    assert [list(line.get_xdata()) for line in axes.lines[:2]] == [[1, 2.0], [1, 0.5]]
    assert "twice the loaders 0.50" in alt
