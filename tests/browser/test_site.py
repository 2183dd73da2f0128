"""The site as a reader meets it: offline, by keyboard, on a phone, in the dark, from a USB stick.

Every page is opened in Chromium over file:// and over http, with every other address refused.
"""

import functools
import http.server
import threading
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DESK = {"width": 1280, "height": 860}
# An error that MathJax shows in its place, and a command that it does not know, in red.
WRONG_MATH = '[data-mml-node="merror"], mjx-container [fill="red"]'
PHONE = {"width": 360, "height": 740}


def contents() -> list[str]:
    def files(entries):
        for entry in entries:
            yield entry.get("file")
            yield from files(entry.get("chapters", []) + entry.get("sections", []))

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *filter(None, files(toc["parts"]))]


PAGES = contents()
EVERYWHERE = [*PAGES, "search", "genindex"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def addresses(site):
    """Base address of the site on file:// and on a free port of this machine."""
    handler = functools.partial(_Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"file": site.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    server.server_close()


class Reader:
    """One tab with what it asked for, what was refused, and what it complained of."""

    def __init__(self, browser, base, viewport=DESK, scheme="light"):
        self.base, self.refused, self.complaints = base, [], []
        context = browser.new_context(
            viewport=viewport, color_scheme=scheme, reduced_motion="reduce"
        )
        context.route("**/*", self._gate)
        self.page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.where}: {error}"))
        self.page.on("requestfailed", lambda r: self.complaints.append(f"failed: {r.url}"))

    @property
    def where(self):
        return self.page.url.removeprefix(self.base)

    def _gate(self, route):
        if route.request.url.startswith((self.base, "data:", "blob:")):
            route.continue_()
        else:
            self.refused.append(route.request.url)
            route.abort()

    def _hear(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.where}: {message.text}")

    def open(self, name):
        self.page.goto(f"{self.base}/{name}.html", wait_until="load")
        if name in PAGES:
            self.page.wait_for_function(
                "!document.querySelector('.math') || !!window.MathJax?.startup?.promise"
            )
            self.page.evaluate("window.MathJax?.startup?.promise")
        return self.page


@pytest.fixture
def visit_site(browser, addresses):
    """Open the site on `file` or `http`; every tab is closed when the test ends."""
    made = []

    def make(kind="file", **options):
        made.append(Reader(browser, addresses[kind], **options))
        return made[-1]

    yield make
    for one in made:
        one.page.context.close()


@pytest.mark.parametrize("kind", ["file", "http"])
def test_no_page_asks_another_host_or_complains(visit_site, kind):
    reader = visit_site(kind)
    for name in EVERYWHERE:
        reader.open(name)
        reader.page.wait_for_timeout(100)
    assert not reader.refused
    assert not reader.complaints


def test_the_gate_would_notice_a_request(visit_site):
    reader = visit_site()
    page = reader.open("book/intro")
    page.evaluate("fetch('https://example.invalid/x').catch(() => null)")
    assert reader.refused == ["https://example.invalid/x"]


@pytest.mark.parametrize("kind", ["file", "http"])
def test_every_formula_is_set(visit_site, kind):
    reader, formulas = visit_site(kind), 0
    for name in PAGES:
        page = reader.open(name)
        bare = page.eval_on_selector_all(
            ".math", "all => all.filter(m => !m.querySelector('mjx-container svg :is(path, use)'))"
            ".map(m => m.textContent.slice(0, 60))",
        )  # fmt: skip
        assert not bare, (name, bare)
        assert page.locator(WRONG_MATH).count() == 0, name
        formulas += page.locator(".math").count()
    assert formulas > 20


def test_a_formula_can_be_heard(visit_site):
    page = visit_site().open("book/notation")
    assert page.locator("mjx-assistive-mml math").count() == page.locator(".math").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(visit_site, scheme):
    reader = visit_site(viewport=PHONE, scheme=scheme)
    wide = {}
    for name in EVERYWHERE:
        page = reader.open(name)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[name] = over
    assert not wide


def test_the_skip_link_comes_first_and_leads_to_the_text(visit_site):
    page = visit_site().open("chapters/01_amdahls_law/index")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.closest('.skip-link')?.innerText")
    assert focused == "Skip to main content"
    # It slides into view: the link is seen once it has the focus.
    page.wait_for_function(
        "document.querySelector('.skip-link a').getBoundingClientRect().top >= 0", timeout=5000
    )
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')")


def test_landmarks_are_there_once(visit_site):
    page = visit_site().open("chapters/01_amdahls_law/index")
    assert page.locator("main").count() == 1
    assert page.locator("nav[aria-label='Main']").count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href]')]
            .filter(e => e.checkVisibility())
            .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.title
                || e.querySelector('img[alt]:not([alt=""])')))
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not unnamed


@pytest.mark.parametrize("kind", ["file", "http"])
def test_search_finds_a_page(visit_site, kind):
    reader = visit_site(kind)
    page = reader.page
    page.goto(f"{reader.base}/search.html?q=coherency")
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.innerText)")
    assert any("Glossary" in title for title in found), found
    assert not reader.refused


def test_the_colour_mode_can_be_switched_and_is_kept(visit_site):
    reader = visit_site()
    page = reader.open("book/intro")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    dark = page.evaluate(paper)
    assert light != dark
    assert reader.open("book/notation").evaluate(paper) == dark


CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_paper(visit_site, scheme):
    reader = visit_site(scheme=scheme)
    poor = {name: reader.open(name).evaluate(CONTRAST) for name in PAGES}
    assert not {name: found for name, found in poor.items() if found}


def test_every_picture_arrives(visit_site):
    reader = visit_site()
    for name in PAGES:
        page = reader.open(name)
        page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
        broken = page.eval_on_selector_all(
            "img", "all => all.filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert not broken, name


def test_the_front_door_leads_to_the_first_page(visit_site):
    reader = visit_site()
    reader.page.goto(f"{reader.base}/index.html")
    reader.page.wait_for_url("**/book/intro.html")


def test_the_way_from_the_front_page_to_chapter_one_by_keyboard(visit_site):
    page = visit_site().open("book/intro")
    page.locator(".hero-start a, a.hero-start").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/chapters/01_amdahls_law/index.html")


def test_a_page_prints_without_menus(visit_site):
    page = visit_site().open("chapters/01_amdahls_law/index")
    page.emulate_media(media="print")
    assert not page.locator("#pst-primary-sidebar").is_visible()
    assert page.locator("#jb-print-docs-body h1").is_visible()  # the title, for print
    assert page.locator("article figcaption").first.is_visible()


def test_a_page_read_in_the_dark_is_printed_in_the_light(visit_site):
    page = visit_site(scheme="dark").open("chapters/01_amdahls_law/index")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.evaluate(
        f"window.seen = []; addEventListener('beforeprint', () => window.seen.push({theme}))"
    )
    page.pdf()
    assert page.evaluate("window.seen") == ["light"]
    assert page.evaluate(theme) == "dark"


def test_a_page_can_be_read_without_scripts(browser, addresses):
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(f"{addresses['file']}/chapters/01_amdahls_law/index.html")
    assert "needs JavaScript" in page.locator(".amdahl-explorer").first.inner_text()
    assert page.locator("article h2").count() > 3
    context.close()
