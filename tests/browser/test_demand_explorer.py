"""The demand explorer: its counts against the Python ones, its crossings, keyboard, phone."""

import numpy as np
import pytest

from amdahl_lab import demand
from amdahl_lab.explorers import DemandExplorer, static_script
from amdahl_lab.explorers.static import module

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""
LAYERS, WIDTHS, SEQUENCES = [1.0, 12.0, 96.0], [128.0, 768.0, 12288.0], [64.0, 1024.0, 1e6]


@pytest.fixture
def address(tmp_path):
    def write(**values):
        (tmp_path / "explorer.js").write_text(static_script("demand"), encoding="utf-8")
        explorer = DemandExplorer(**values).static._repr_mimebundle_()["text/html"]
        (tmp_path / "page.html").write_text(PAGE.format(explorer=explorer), encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return write


def settle(page, words):
    status = page.get_by_role("status")
    status.filter(has_text=words).wait_for(timeout=15_000)
    return status.inner_text()


def test_the_script_and_the_package_count_the_same(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("demand"))
    L, h, s = (np.ravel(axis) for axis in np.meshgrid(LAYERS, WIDTHS, SEQUENCES))
    v = 50257.0
    rows = np.stack([L, h, np.full_like(L, v), s], 1).tolist()
    told = page.evaluate(
        """(rows) => {
          const { formulas } = window.amdahlExplorers.explorers.demand;
          return rows.map(([L, h, v, s]) => [
            formulas.parameters(L, h, v, s), formulas.modelFlops(L, h, s, v),
            formulas.projections(L, h), formulas.perceptron(L, h),
            formulas.attentionCore(L, h, s), formulas.head(h, v),
            formulas.attentionCrossover(L, h, v), formulas.scoresCrossover(h),
            formulas.keptLinear(L, h) + formulas.keptScores(L, h, s),
            formulas.stateBytes(formulas.parameters(L, h, v, s)), formulas.thumbError(L, h, s, v),
          ]);
        }""",
        rows,
    )
    P, exact = demand.parameters(L, h, v, s), demand.model_flops(1, L, h, s, v) / s
    expected = [
        P,
        exact,
        *(part / s for part in demand.flops_by_kind(1, L, h, s, v).values()),
        demand.attention_crossover(L, h, v),
        demand.scores_crossover(h, h / 64),
        L * demand.activation_bytes_per_layer(1, s, h, h / 64) / s,
        demand.state_bytes(P),
        demand.six_parameters_tokens(P, 1) / exact - 1,
    ]
    np.testing.assert_allclose(told, np.stack(expected, 1), rtol=1e-11, atol=1e-12)


def test_the_page_tells_the_crossings_and_the_keyboard_moves_them(page, address):
    page.goto(address())
    # 6 x 768 + 50257 / 24 = 6,702; 34 x 64 / 5 = 435
    told = settle(page, "12 layers of width 768")
    assert "half at 6,702 positions" in told
    assert "half at 435 positions" in told
    assert page.locator(".ax-note").text_content() == "half at s = 6,702"
    page.get_by_role("slider", name="depth L").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    settle(page, "14 layers of width 768")
    page.get_by_role("radio", name="bytes it keeps").check()
    page.locator(".ax-note").filter(has_text="half at s = 435").wait_for(timeout=15_000)
    page.get_by_role("button", name="Reset").press("Enter")
    assert settle(page, "12 layers of width 768") == told


def test_dragging_the_handle_moves_along_the_sequence(page, address):
    page.goto(address())
    box, chart = (page.locator(name).bounding_box() for name in (".ax-handle", ".ax-chart"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"], box["y"], steps=6)
    page.mouse.up()
    assert "sequences of 1,048,576" in settle(page, "1,048,576")


@pytest.mark.parametrize("measure", ["flops", "bytes"])
def test_a_phone_needs_no_sideways_scrolling(visit, address, measure):
    made = visit(width=360, height=640)
    made.page.goto(address(measure=measure, hidden=16384, layers=128, sequence=2**20))
    assert made.page.evaluate("document.documentElement.scrollWidth") == 360
    too_wide = made.page.evaluate(
        """() => [...document.querySelectorAll(".ax *")]
          .filter((it) => !it.closest("defs, [clip-path]") && !it.hidden)
          .filter((it) => it.getBoundingClientRect().right > 360)
          .map((it) => it.outerHTML.slice(0, 80))"""
    )
    assert too_wide == []
    assert made.problems == []


def test_words_stand_there_without_javascript(visit, address):
    page = visit(java_script_enabled=False).page
    page.goto(address())
    text = page.locator(".amdahl-explorer").inner_text()
    assert "half at 6,702 positions" in text
    assert "needs JavaScript" in text


def test_the_module_is_small_and_a_width_that_is_no_whole_number_of_heads_is_refused():
    own = len(module("demand")) - len(module("speedup"))
    assert own < 0  # the shared text counts in both; this one is smaller than the first
    with pytest.raises(ValueError, match="hidden must be a multiple of 64"):
        DemandExplorer(hidden=200)
