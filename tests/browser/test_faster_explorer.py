"""The explorer of A and B: its sums against the Python ones, and what a reader finds in it."""

import pytest
from scipy.special import stdtrit

from amdahl_lab.explorers import FasterExplorer, static, static_script

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""


@pytest.fixture
def address(tmp_path):
    def write(**values):
        (tmp_path / "explorer.js").write_text(static_script("faster"), encoding="utf-8")
        explorer = FasterExplorer(**values).static._repr_mimebundle_()["text/html"]
        (tmp_path / "page.html").write_text(PAGE.format(explorer=explorer), encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return write


@pytest.fixture
def formulas(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("faster"))
    return lambda name, rows: page.evaluate(
        """([name, rows]) => {
          const { formulas } = window.amdahlExplorers.explorers.faster;
          return rows.map((row) => formulas[name](...row));
        }""",
        [name, rows],
    )


def test_the_script_and_the_package_run_the_same_experiments(formulas):
    rows, expected, truths = [], [], []
    for seed, order in enumerate(("blocks", "interleaved") * 10, start=1):
        settings = {"rounds": 3 + 4 * seed, "order": order, "noise": 0.03, "drift": 0.01 * seed}
        explorer = FasterExplorer(**settings, seed=seed)
        rows.append([settings | {"seed": seed}, seed])
        expected.append(explorer.interval(seed))
        truths.append(explorer.truth)
    for found, wanted in zip(formulas("comparison", rows), expected, strict=True):
        assert found == pytest.approx(wanted, abs=5e-6)
    assert formulas("hiddenTruth", [[row[1]] for row in rows]) == truths


def test_both_count_the_same_experiments_that_miss(formulas):
    for order in ("blocks", "interleaved"):
        settings = {"rounds": 12, "order": order, "noise": 0.03, "drift": 0.05, "seed": 3}
        counted = FasterExplorer(**settings).wrong_share()
        assert formulas("wrongShare", [[settings]]) == pytest.approx([counted], abs=0.006)


def test_students_points_are_those_of_the_tables(formulas):
    freedoms = [2, 3, 4, 9, 30, 198]
    found = formulas("studentPoint", [[f] for f in freedoms])
    assert found == pytest.approx([float(stdtrit(f, 0.975)) for f in freedoms], rel=1.5e-3)


def test_more_rounds_make_blocks_on_a_drifting_machine_worse_and_turns_better(formulas):
    def wrong(rounds, order):
        settings = {"rounds": rounds, "order": order, "noise": 0.03, "drift": 0.05, "seed": 1}
        return formulas("wrongShare", [[settings]])[0]

    assert wrong(5, "blocks") < wrong(20, "blocks") < wrong(100, "blocks")
    assert wrong(100, "blocks") > 0.9
    for rounds in (5, 20, 100):
        assert wrong(rounds, "interleaved") < 0.1


def test_a_reader_shows_the_truth_changes_the_order_and_goes_back(page, address):
    page.goto(address())
    status = page.get_by_role("status")
    status.filter(has_text="all of A first").wait_for(timeout=15_000)
    before = status.inner_text()
    page.get_by_role("radio", name="A and B in turn").check()
    page.get_by_role("slider", name="rounds R").press("End")
    status.filter(has_text="100 rounds, A and B in turn").wait_for(timeout=15_000)
    page.get_by_role("radio", name="shown").check()
    status.filter(has_text="The truth").wait_for(timeout=15_000)
    page.get_by_role("button", name="Reset").press("Enter")
    status.filter(has_text=before).wait_for(timeout=15_000)


def test_a_phone_needs_no_sideways_scrolling_and_the_module_is_small(visit, address):
    made = visit(width=360, height=640)
    made.page.goto(address())
    made.page.get_by_role("status").filter(has_text="rounds").wait_for(timeout=15_000)
    assert made.page.evaluate("document.documentElement.scrollWidth") == 360
    assert made.problems == []
    own = sum(len(text) for name, text in static._texts().items() if name.startswith("faster"))
    assert own < 30_000
