"""The explorer of the published series: what it shows, says and refuses."""

import json

import pytest

from amdahl_lab import time_to_train
from amdahl_lab.explorers import WildExplorer
from amdahl_lab.explorers.wild import published_case
from amdahl_lab.recorded import reference_run

SERIES = time_to_train.published_series()
OWN = {"digits, data parallel": reference_run("digits_scaling")}


def test_a_case_holds_the_published_numbers_and_their_terms():
    case = published_case(SERIES["V4"])
    assert case["workers"] == [8, 64, 1024, 4216]
    assert case["speedups"][-1] == pytest.approx(5.74804e6 / 26053.3, rel=1e-4)
    assert case["sides"]["machine"] * case["sides"]["optimiser"] == pytest.approx(
        28.6854 / 0.319472 / 527, rel=1e-3
    )
    assert "Result not verified by MLCommons Association" in case["note"]
    assert "no MLPerf result" in published_case(SERIES["P2"])["note"]


def test_a_guess_at_the_best_setting_is_the_one_that_the_package_makes():
    fitted = {"amdahl": "Amdahl", "step": "Amdahl per step"}
    widget = WildExplorer.of_series(SERIES.values(), OWN, case="N2")
    # 8 over N and the rest: Amdahl's s and the step's h that fit three points best.
    for law, setting in (("amdahl", "serial_fraction"), ("step", "half_batch")):
        guess = time_to_train.held_out_guesses(SERIES["N2"])[fitted[law]]
        expected = SERIES["N2"].per_sample()[0] / guess.predicted
        low, high = (1e-6, 1.0) if law == "amdahl" else (1e-2, 1e3)
        widget.law = law
        for _ in range(60):  # the guess falls as the setting rises
            middle = (low * high) ** 0.5
            setattr(widget, setting, middle)
            low, high = (middle, high) if widget.guess() > expected else (low, middle)
        assert widget.guess() == pytest.approx(expected, rel=1e-3)
        assert low < 0.9 * (1.0 if law == "amdahl" else 1e3)


def test_amdahls_law_that_is_set_right_guesses_amdahls_speedup():
    # s = 0.1: 1 / (0.1 + 0.9 / N) is 1.818 on two workers and 3.077 on four.
    case = published_case(SERIES["V4"]) | {"workers": [1, 2, 4], "speedups": [1, 1.8182, 9.0]}
    widget = WildExplorer(cases=[case], law="amdahl", serial_fraction=0.1)
    assert widget.guess() == pytest.approx(3.0769, rel=1e-3)


def test_what_it_says_names_the_series_and_holds_back_what_is_covered():
    widget = WildExplorer.of_series(SERIES.values(), OWN, case="V4")
    told = widget.describe()
    assert "ResNet-50, A100, NVIDIA, MLPerf® Training v2.0" in told
    assert "The run gave" not in told
    widget.uncovered = True
    assert "The run gave 221" in widget.describe()


def test_the_own_run_stands_alone_and_says_what_is_oversubscribed():
    widget = WildExplorer.of_series(SERIES.values(), OWN, case="own")
    assert "MLPerf" not in widget.describe()
    assert "N = 3, 4 oversubscribed" in widget.describe()
    assert "3 (oversubscribed)" in widget.table()


def test_a_case_that_is_not_there_or_has_two_points_is_refused():
    with pytest.raises(ValueError, match="case must be one of V1, .* got 'V9'"):
        WildExplorer.of_series(SERIES.values(), OWN, case="V9")
    short = published_case(SERIES["V4"]) | {"workers": [1, 2], "speedups": [1, 2]}
    with pytest.raises(ValueError, match="at least 3 points, got V4"):
        WildExplorer(cases=[short])


def test_what_a_widget_tells_a_notebook_stays_small():
    state = WildExplorer.of_series(SERIES.values(), OWN).get_state()
    assert len(json.dumps(state)) < 64_000
