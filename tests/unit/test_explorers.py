"""Explorers as Python sees them: what they refuse, what they say, what they leave in a notebook."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import traitlets

from amdahl_lab import explorers
from amdahl_lab.records import Machine, ScalingRun, Timing

POINT = {"workers": 2, "speedup": 1.8, "low": 1.7, "high": 1.9}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def run_in_a_fresh_process(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_the_script_for_the_site_is_made_where_no_widget_library_is():
    out = run_in_a_fresh_process(
        "import sys\n"
        "for name in ('anywidget', 'ipywidgets', 'traitlets', 'torch', 'matplotlib', 'scipy'):\n"
        "    sys.modules[name] = None\n"
        "from amdahl_lab.explorers import names, static_html, static_script\n"
        "there = {'demand', 'pipeline', 'speedup', 'step', 'wild'} <= {*names()}\n"
        "print(there, len(static_script('speedup')) > 10_000,\n"
        "      'data-explorer' in static_html('speedup', {}, 'words'))"
    )
    assert out.split() == ["True", "True", "True"]


@pytest.mark.parametrize("name", explorers.names())
def test_no_script_evaluates_strings_or_names_a_host(name):
    script = explorers.static_script(name)
    assert not re.search(r"\beval\(|new Function|\bimport\b\s*[({\"']|fetch\(", script)
    assert set(re.findall(r"https?://[^\"'\s]+", script)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", explorers.names())
def test_what_an_explorer_adds_to_the_shared_toolkit_is_light(name):
    folder = Path(explorers.__file__).parent
    own = [folder / f"{name}.js", *folder.glob(f"{name}_*.js")]
    assert 0 < sum(file.stat().st_size for file in own) <= 30_000


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="explorer must be one of .*speedup.*, got 'spedup'"):
        explorers.static_html("spedup", {}, "words")
    with pytest.raises(AttributeError, match="no attribute 'Spedup'"):
        _ = explorers.Spedup


def test_html_in_the_state_or_the_words_cannot_leave_its_place():
    nasty = "</script><b>&"
    page = explorers.static_html("speedup", {"provenance": nasty}, nasty)
    assert page.count("</script") == 1
    assert "<b>" not in page
    state = re.search(r'json">(.*?)</script>', page).group(1)
    assert json.loads(state) == {"provenance": nasty}


def test_a_state_that_is_not_finite_json_is_refused():
    with pytest.raises(ValueError, match="state must be plain finite JSON"):
        explorers.static_html("speedup", {"serial_fraction": float("nan")}, "words")


def test_an_explorer_shows_itself_as_widget_as_page_and_in_words():
    data, _ = explorers.SpeedupExplorer(serial_fraction=0.1, workers=9)._repr_mimebundle_()
    # 1 / (0.1 + 0.9 / 9) = 5 and 5 / 9 = 55.6%; on 18: 1 / 0.15 = 6.67; the limit is 10
    assert "5 on 9 workers" in data["text/plain"]
    assert "55.6%" in data["text/plain"]
    assert "6.67 on 18" in data["text/plain"]
    assert "gets past 10" in data["text/plain"]
    assert set(data) == {"text/plain", "text/html", WIDGET_VIEW}


def test_the_page_form_is_the_same_every_time_and_holds_no_view():
    pages = [explorers.SpeedupExplorer(points=[POINT]).static._repr_mimebundle_() for _ in "ab"]
    assert pages[0] == pages[1]
    assert set(pages[0]) == {"text/plain", "text/html"}
    assert "<td>1.7 to 1.9</td>" in pages[0]["text/html"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"points": [{"workers": 2, "speedup": 1.8}]}, "points must each have 'low'"),
        ({"points": [POINT | {"low": 1.85}]}, "low <= speedup <= high"),
        ({"points": [POINT | {"low": float("nan")}]}, "low <= speedup <= high"),
        ({"workers": 9, "reach": 8}, "workers must be at most reach, 8, got 9"),
    ],
)
def test_points_and_settings_that_make_no_sense_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        explorers.SpeedupExplorer(**values)


@pytest.mark.parametrize("values", [{"serial_fraction": 1.1}, {"law": "moore"}, {"workers": 0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(traitlets.TraitError):
        explorers.SpeedupExplorer(**values)


def test_a_run_becomes_points_with_intervals_and_says_which_are_oversubscribed():
    machine = Machine("bench", "Linux", "cpu", cores_usable=2.0, cores_present=2, memory_bytes=0)
    timings = (
        Timing(1, "step", (0.8, 1.0, 1.25)),
        Timing(2, "step", (0.4, 0.5, 0.625)),
        Timing(4, "step", (0.5, 0.4, 0.6)),
    )
    run = ScalingRun("digits_data_parallel", machine, timings, {}, "2026-01-01", 0.1, 0.1, 3)
    widget = explorers.SpeedupExplorer.of_run(run, reach=8, workers=4)
    two, four = widget.points
    assert (two["workers"], two["speedup"], two["oversubscribed"]) == (2, 2.0, False)
    assert two["low"] == two["high"] == 2.0  # every round halved: pairing leaves no spread
    assert four["low"] < four["speedup"] < four["high"]
    assert four["oversubscribed"]
    assert widget.provenance == "digits data parallel, bench, 3 rounds"


def test_glue_keeps_an_explorer_for_the_site():
    nb = pytest.importorskip("myst_nb.ext.glue", reason="myst-nb is not installed")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    with capture_output() as captured:
        nb.glue("explorer", explorers.SpeedupExplorer(), display=False)
        nb.glue("page", explorers.SpeedupExplorer().static, display=False)
    with_view, without = (output.data for output in captured.outputs)
    prefix = "application/papermill.record/"
    assert set(without) == {prefix + "text/html", prefix + "text/plain"}
    assert set(with_view) == {*without, prefix + WIDGET_VIEW}
    assert with_view[prefix + "text/html"] == without[prefix + "text/html"]


def test_a_notebook_to_commit_keeps_the_page_and_drops_what_needs_a_kernel():
    prefix = "application/papermill.record/"
    page = {"text/html": "<div>", "text/plain": "words"}
    glued = {prefix + mime: text for mime, text in page.items()}
    only_view = {WIDGET_VIEW: {"model_id": "1"}, "text/plain": "a progress bar"}
    notebook = {
        "metadata": {"widgets": {"state": {}}, "kernelspec": {}},
        "cells": [
            {"cell_type": "markdown"},
            {
                "cell_type": "code",
                "outputs": [
                    {"data": page | {WIDGET_VIEW: {"model_id": "1"}}},
                    {"data": glued | {prefix + WIDGET_VIEW: {"model_id": "1"}}},
                    {"data": dict(only_view)},
                    {"name": "stdout", "text": "3"},
                ],
            },
        ],
    }
    explorers.without_widgets(notebook)
    outputs = notebook["cells"][1]["outputs"]
    assert [output.get("data") for output in outputs] == [page, glued, only_view, None]
    assert notebook["metadata"] == {"kernelspec": {}}


def test_what_a_widget_tells_a_notebook_stays_small():
    state = explorers.SpeedupExplorer(points=[POINT] * 8).get_state()
    assert len(json.dumps(state)) < 64_000


def test_a_pipeline_says_its_bubble_and_what_it_keeps():
    # (N - 1) / (M + N - 1) = 3 / 11; N M / (M + N - 1) = 32 / 11; 1F1B keeps N micro-batches.
    text = explorers.PipelineExplorer(stages=4, micro_batches=8).describe()
    for words in ("2.91 times", "27% of the time", "up to 4 micro-batches"):
        assert words in text
    kept = explorers.PipelineExplorer(stages=4, micro_batches=8, schedule="gpipe").describe()
    assert "up to 8 micro-batches" in kept
    # The interleaved order takes whole rounds of the stages: 6 becomes 8.
    text = explorers.PipelineExplorer(micro_batches=6, schedule="interleaved").describe()
    assert "8 micro-batches" in text
    assert "3.37 times" in text  # N v M / (v M + N - 1) = 64 / 19


def test_a_measured_pipeline_outside_its_interval_is_refused():
    point = {"schedule": "gpipe", "stages": 2, "micro_batches": 4, "low": 1.2, "high": 1.4}
    with pytest.raises(ValueError, match="low <= speedup <= high"):
        explorers.PipelineExplorer(points=[point | {"speedup": 1.5}])
