"""The explorer of a step: its sums against the Python ones, and what a reader finds in it."""

import numpy as np
import pytest

from amdahl_lab.explorers import StepExplorer, static_script
from amdahl_lab.explorers.static import module
from amdahl_lab.schedule import expected_maximum

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""


@pytest.fixture
def address(tmp_path):
    def write(**values):
        (tmp_path / "explorer.js").write_text(static_script("step"), encoding="utf-8")
        explorer = StepExplorer(**values).static._repr_mimebundle_()["text/html"]
        (tmp_path / "page.html").write_text(PAGE.format(explorer=explorer), encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return write


@pytest.fixture
def formulas(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("step"))
    return lambda name, rows: page.evaluate(
        """([name, rows]) => {
          const { formulas } = window.amdahlExplorers.explorers.step;
          return rows.map((row) => formulas[name](...row));
        }""",
        [name, rows],
    )


def settle(page, words):
    status = page.get_by_role("status")
    status.filter(has_text=words).wait_for(timeout=15_000)
    return status.inner_text()


def test_the_script_and_the_package_compute_the_same_steps(formulas):
    rng = np.random.default_rng(3)
    rows, expected = [], []
    for _ in range(60):
        settings = {
            "batch": 10 ** rng.uniform(0, 4),
            "parameters": 10 ** rng.uniform(-1, 4),
            "peak": 10 ** rng.uniform(-1, 3),
            "memory": 10 ** rng.uniform(1, 4),
            "latency": 10 ** rng.uniform(0, 3),
            "bandwidth": 10 ** rng.uniform(-1, 3),
            "jitter": rng.uniform(0, 0.5),
            "straggler": rng.choice([0, rng.uniform(0, 0.5)]),
            "overlap": bool(rng.integers(2)),
        }
        workers = int(rng.choice([1, 2, 3, 16, 64, 1000]))
        rows.append([settings, workers])
        expected.append(StepExplorer(**settings).seconds(workers))
    np.testing.assert_allclose(formulas("stepSeconds", rows), expected, rtol=2e-4)


def test_the_expected_maximum_is_that_of_the_package(formulas):
    workers = [1, 2, 3, 10, 64, 500, 1024]
    found = formulas("expectedMaximum", [[N] for N in workers])
    np.testing.assert_allclose(found, expected_maximum(workers), rtol=2e-4, atol=1e-9)
    assert found[1] == pytest.approx(1 / np.sqrt(np.pi), rel=1e-5)  # a closed form


def test_twice_the_bandwidth_buys_nothing_where_latency_decides(page, address):
    page.goto(address(batch=8, parameters=1))
    settle(page, "64 workers")
    facts = dict(
        zip(
            page.locator(".ax-facts dt").all_inner_texts(),
            page.locator(".ax-facts dd").all_inner_texts(),
            strict=True,
        )
    )
    # 126 messages of 10 us against 8 MB x 63/64 / 50 GB/s = 0.16 ms
    assert float(facts["half the latency"].rstrip("%")) > 40
    assert float(facts["twice the network bandwidth"].rstrip("%")) < 10


@pytest.mark.parametrize("workers", [2, 1024])
def test_a_straggler_costs_its_slowness_at_any_number_of_workers(formulas, workers):
    settings = {
        "batch": 1e4,
        "parameters": 1,
        "peak": 0.1,
        "memory": 2000,
        "latency": 1,
        "bandwidth": 1000,
        "jitter": 0,
        "straggler": 0,
        "overlap": False,
    }
    calm, late = formulas(
        "stepSeconds", [[settings, workers], [settings | {"straggler": 0.1}, workers]]
    )
    assert late / calm == pytest.approx(1.1, abs=0.005)


def test_keyboard_reset_and_a_start_from_another_machine(page, address):
    page.goto(address(batch=8, parameters=1))
    before = settle(page, "64 workers")
    slider = page.get_by_role("slider", name="workers N")
    slider.focus()
    page.keyboard.press("End")
    settle(page, "1,024 workers")
    page.get_by_role("radio", name="office network").check()
    bandwidth = page.get_by_role("slider", name="network bandwidth")
    page.wait_for_function(
        "(it) => it.getAttribute('aria-valuetext') === '0.1 GB/s'", arg=bandwidth.element_handle()
    )
    page.get_by_role("radio", name="during it").check()
    page.locator(".ax-facts").filter(has_text="done").wait_for()
    page.get_by_role("button", name="Reset").press("Enter")
    assert settle(page, "64 workers") == before


def test_a_phone_needs_no_sideways_scrolling(visit, address):
    made = visit(width=360, height=640)
    made.page.goto(address())
    assert made.page.evaluate("document.documentElement.scrollWidth") == 360
    assert made.problems == []


def test_the_module_is_small_and_asks_only_for_its_traits(page, address):
    from amdahl_lab.explorers import static

    own = sum(len(text) for name, text in static._texts().items() if name.startswith("step"))
    assert own < 30_000
    page.goto(address())
    settle(page, "workers")
    assert "export default" in module("step")
