"""The explorer of the published series: its formulas against the package's, and its use."""

import re

import numpy as np
import pytest

from amdahl_lab import time_to_train
from amdahl_lab.explorers import WildExplorer, static_script
from amdahl_lab.explorers.static import module
from amdahl_lab.explorers.wild import published_case
from amdahl_lab.recorded import reference_run

SERIES = time_to_train.published_series()
OWN = {"digits, data parallel": reference_run("digits_scaling")}
LAWS = {"amdahl": "Amdahl", "usl": "USL", "step": "Amdahl per step"}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""


@pytest.fixture
def address(tmp_path):
    def write(**values):
        (tmp_path / "explorer.js").write_text(static_script("wild"), encoding="utf-8")
        widget = WildExplorer.of_series(SERIES.values(), OWN, **values)
        explorer = widget.static._repr_mimebundle_()["text/html"]
        (tmp_path / "page.html").write_text(PAGE.format(explorer=explorer), encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return write


def settle(page, words):
    status = page.get_by_role("status")
    status.filter(has_text=words).wait_for(timeout=15_000)
    return status.inner_text()


def test_the_module_is_small():
    assert len(module("wild")) < 64_000
    own = static_script("wild").split("const explorer = ")[1].split("\n})();")[0]
    assert len(own.encode()) < 30_000


@pytest.mark.parametrize("law", LAWS)
def test_the_best_fit_guesses_what_the_package_guesses(page, law):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("wild"))
    for name, series in SERIES.items():
        guess = time_to_train.held_out_guesses(series)[LAWS[law]]
        if not isinstance(guess, time_to_train.Guess):
            continue
        found = page.evaluate(
            """([item, law]) => {
              const { formulas } = window.amdahlExplorers.explorers.wild;
              return formulas.guess(item, law, formulas.best(item, law));
            }""",
            [published_case(series), law],
        )
        expected = series.per_sample()[0] / guess.predicted
        assert found == pytest.approx(expected, rel=0.01), name


@pytest.mark.parametrize("law", LAWS)
def test_the_guess_of_a_setting_is_the_same_in_both_languages(page, law):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("wild"))
    settings = {"serial_fraction": 0.003, "contention": 0.002, "coherency": 1e-6, "half_batch": 7.0}
    for name in ("V1", "N2", "R2"):
        widget = WildExplorer.of_series(SERIES.values(), OWN, case=name, law=law, **settings)
        found = page.evaluate(
            """([item, law, q]) => {
              const { formulas } = window.amdahlExplorers.explorers.wild;
              return formulas.guess(item, law, q);
            }""",
            [published_case(SERIES[name]), law, settings],
        )
        assert found == pytest.approx(widget.guess(), rel=1e-9)


def test_the_task_of_the_chapter_amdahl_misses_and_the_step_does_not(page, address):
    page.goto(address(case="N2"))
    settle(page, "BERT, A100")
    assert "covered" in page.locator(".ax-facts").inner_text()
    assert page.locator(".ax-chart .ax-dot").count() == 3
    page.get_by_role("button", name="Best fit").click()
    page.get_by_role("button", name="Uncover").click()
    assert "−66%" in settle(page, "off")  # a time 195% too long is a speedup 66% too small
    assert page.locator(".ax-chart .ax-dot").count() == 4
    page.get_by_role("radio", name="per step").check()
    page.get_by_role("button", name="Best fit").click()
    assert "law of the step" in settle(page, "−0.3%")
    page.get_by_role("radio", name="V4").check()  # another series is covered again
    assert "off" not in settle(page, "ResNet-50, A100")
    # ln 2.39 of ln 5.87, from the logged times and samples.
    assert page.locator(".ax-bar-key li").all_inner_texts() == ["machine 49%", "optimiser 51%"]
    assert "MLCommons Association" in page.locator(".ax-source").inner_text()


def test_the_handle_bends_the_law_and_the_keyboard_does_too(page, address):
    page.goto(address(case="V4"))
    before = settle(page, "guesses")
    handle = page.locator(".ax-handle").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 40, steps=5)
    page.mouse.up()
    page.wait_for_timeout(500)
    dragged = page.get_by_role("status").inner_text()
    guesses = [float(re.search(r"speedup of ([\d.]+)", said)[1]) for said in (before, dragged)]
    assert 1.1 < guesses[1] / guesses[0] < 5  # up with the handle, and not to the end of the axis
    slider = page.get_by_role("slider", name="serial fraction s")
    slider.focus()
    page.keyboard.press("Home")
    # Without a serial share the law keeps the mean efficiency of the points shown, on a log scale:
    # (1 x 0.7963 x 0.6769)^(1/3) of 527.
    settle(page, "429")
    page.get_by_role("button", name="Reset").press("Enter")
    page.wait_for_timeout(500)
    assert page.get_by_role("status").inner_text() == before


@pytest.mark.parametrize("case", ["N4", "own"])
def test_a_phone_needs_no_sideways_scrolling(visit, address, case):
    made = visit(width=360, height=640)
    made.page.goto(address(case=case))
    assert made.page.evaluate("document.documentElement.scrollWidth") == 360
    assert made.problems == []


def test_without_javascript_the_points_stand_there_in_words(visit, address):
    page = visit(java_script_enabled=False).page
    page.goto(address(case="N3"))
    text = page.locator(".amdahl-explorer").inner_text()
    for words in ("BERT, Bow IPU, Graphcore", "needs JavaScript", "Result not verified"):
        assert words in text


def test_batches_between_two_known_ones_lie_between_them(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("wild"))
    case = published_case(SERIES["V4"])
    found = page.evaluate(
        """([item, at]) => at.map((N) =>
          window.amdahlExplorers.explorers.wild.formulas.batchAt(item, N))""",
        [case, [8, 256, 1024, 4216]],
    )
    assert np.diff(found).min() >= 0
    assert [found[0], found[2], found[3]] == pytest.approx([3264, 35840, 67456])
    # 256 is half way from 64 to 1024 on a logarithmic axis.
    assert found[1] == pytest.approx((3264 * 35840) ** 0.5)
