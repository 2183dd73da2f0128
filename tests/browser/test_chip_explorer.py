"""The explorer of a chip's cores: its formulas against the laws, and what a reader finds in it."""

import numpy as np
import pytest

from amdahl_lab import laws
from amdahl_lab.explorers import ChipExplorer, static_script

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""


@pytest.fixture
def address(tmp_path):
    (tmp_path / "explorer.js").write_text(static_script("chip"), encoding="utf-8")
    explorer = ChipExplorer().static._repr_mimebundle_()["text/html"]
    (tmp_path / "page.html").write_text(PAGE.format(explorer=explorer), encoding="utf-8")
    return (tmp_path / "page.html").as_uri()


def test_the_script_and_the_package_compute_the_same_chips(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("chip"))
    rng = np.random.default_rng(8)
    rows, speedups, best = [], [], []
    for design in ("symmetric", "asymmetric", "dynamic"):
        for _ in range(30):
            chip = int(rng.choice([16, 64, 256, 1024]))
            s, core = float(rng.uniform(0.001, 0.9)), float(rng.uniform(1, chip))
            shown = ChipExplorer(design=design, chip=chip, core=core, serial_fraction=s)
            rows.append([design, s, chip, core])
            speedups.append(shown.speedup())
            best.append(shown.best())
    found = page.evaluate(
        """(rows) => {
          const { formulas } = window.amdahlExplorers.explorers.chip;
          return rows.map((row) =>
            [formulas.chipSpeedup(...row), formulas.bestCore(...row.slice(0, 3))]);
        }""",
        rows,
    )
    np.testing.assert_allclose([row[0] for row in found], speedups, rtol=1e-9)
    np.testing.assert_allclose([row[1] for row in found], best, rtol=1e-9)


def test_the_best_chip_is_found_with_the_keyboard(page, address):
    """Hill and Marty: 256 units at s = 0.025 give 51.2 in equal cores and 125 with a large one."""
    page.goto(address)
    status = page.get_by_role("status")
    status.filter(has_text="gives 51.2").wait_for()
    slider = page.get_by_role("slider", name="units of a large core")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    status.filter(has_text="51.2 times as fast").wait_for()
    page.get_by_role("radio", name="one large core").check()
    status.filter(has_text="gives 125").wait_for()
    page.get_by_role("button", name="Reset").press("Enter")
    status.filter(has_text="256 cores of 1 unit").wait_for()


def test_a_phone_needs_no_sideways_scrolling(visit, address):
    made = visit(width=390, height=700)
    made.page.goto(address)
    made.page.get_by_role("status").filter(has_text="times as fast").wait_for()
    assert made.page.evaluate("document.documentElement.scrollWidth") == 390
    assert made.problems == []


def test_the_module_is_small():
    from amdahl_lab.explorers import static

    own = sum(len(text) for name, text in static._texts().items() if name.startswith("chip"))
    assert own < 30_000


def test_a_larger_core_than_the_chip_counts_as_the_whole_chip():
    shown = ChipExplorer(design="dynamic", chip=16, core=1024, serial_fraction=0.5)
    assert shown.speedup() == pytest.approx(laws.hill_marty_dynamic(0.5, 16, 16))
