"""The fan explorer: its sums against the Python ones, and what a reader finds in it."""

import numpy as np
import pytest

from amdahl_lab.explorers import FanExplorer, static_script

PAGE = """<!doctype html><html lang="en" {html}><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0">{explorer}<script src="explorer.js"></script></body></html>"""


@pytest.fixture
def address(tmp_path):
    def write(html="", **values):
        (tmp_path / "explorer.js").write_text(static_script("fan"), encoding="utf-8")
        explorer = FanExplorer(**values).static._repr_mimebundle_()["text/html"]
        page = tmp_path / "page.html"
        page.write_text(PAGE.format(html=html, explorer=explorer), encoding="utf-8")
        return page.as_uri()

    return write


def settle(page, words):
    status = page.get_by_role("status")
    status.filter(has_text=words).wait_for(timeout=15_000)
    return status.inner_text()


def test_the_script_and_the_package_open_the_same_fan(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("fan"))
    rng, asked, expected = np.random.default_rng(5), [], []
    for _ in range(80):
        N, more, future = (int(rng.choice(c)) for c in ([2, 4, 8], [0, 16, 64], [64, 300]))
        made = FanExplorer(
            workers=N,
            speedup=rng.uniform(1, N),
            precision=rng.uniform(0.5, 30),
            second=more,
            second_speedup=rng.uniform(1, max(more, 2)),
            second_precision=rng.uniform(0.5, 30),
            future=future,
        )
        asked.append([[[n, low, high] for n, _, low, high in made.measured()], future])
        expected.append((made.serial_fractions(), made.futures()))
    told = page.evaluate(
        """(cases) => {
          const { formulas } = window.amdahlExplorers.explorers.fan;
          return cases.map((it) => [formulas.fanFractions(it[0]), formulas.fanFutures(...it)]);
        }""",
        asked,
    )
    assert any(s is None for s, _ in expected)
    assert sum(s is not None for s, _ in expected) > 40
    for (s, far), (same_s, same_far) in zip(expected, told, strict=True):
        if s is None:
            assert same_s is None
            assert same_far is None
        else:
            np.testing.assert_allclose([*same_s, *same_far], [*s, *far], rtol=1e-12, atol=1e-15)


def test_three_to_four_on_four_leaves_eight_to_sixty_four(page, address):
    page.goto(address())
    told = settle(page, "4 workers")
    # s from 0 to 1/9; on 64 workers 64 / 8 = 8 and 64.
    assert "from 0% to 11.1%" in told
    assert "from 8 to 64" in told


def test_a_second_measurement_closes_the_fan_and_can_contradict(page, address):
    page.goto(address(speedup=3.5, precision=14))
    settle(page, "4 workers")
    before = page.locator(".ax-big").inner_text()
    page.get_by_role("radio", name="at 16").check()
    settle(page, "16 workers")
    after = page.locator(".ax-big").inner_text()
    assert float(after.strip("×")) < 0.5 * float(before.strip("×"))
    page.get_by_role("slider", name="second speedup").press("Home")
    assert "something grows with the workers" in settle(page, "No serial fraction")


def test_the_keyboard_changes_it_and_reset_brings_it_back(page, address):
    page.goto(address())
    first = settle(page, "4 workers")
    page.get_by_role("slider", name="look ahead to").press("End")
    settle(page, "1,024 workers")
    page.get_by_role("button", name="Reset").press("Enter")
    assert settle(page, "on 64 workers") == first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(visit, address, scheme):
    made = visit(width=360, height=640, color_scheme=scheme)
    made.page.goto(address(second=64, second_speedup=16.0))
    assert made.page.evaluate("document.documentElement.scrollWidth") == 360
    assert made.problems == []
    paper = made.page.locator(".ax").evaluate("(it) => getComputedStyle(it).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
