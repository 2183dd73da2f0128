"""The site as a reader meets it: offline, by keyboard, on a phone, in the dark, from a USB stick.

Every page is opened in Chromium over file:// and over http, with every other address refused.
"""

import functools
import http.server
import threading

import pytest
from walking import DESK, EVERYWHERE, MAGNIFIED, PHONE, Reader, barriers, walk

# A walk opens every page of the book.
pytestmark = pytest.mark.timeout(900)


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


@pytest.fixture
def visit_site(browser, site, addresses):
    """Open the site on `file` or `http`; every tab is closed when the test ends."""
    made = []

    def make(kind="file", **options):
        made.append(Reader(browser, site, addresses[kind], **options))
        return made[-1]

    yield make
    for one in made:
        one.page.context.close()


@pytest.fixture(scope="module", params=["desk", "phone"])
def walked(browser, site, addresses, request):
    """Both walks: from a USB stick at a desk by day, and from a server on a phone by night."""
    if request.param == "desk":
        reader = Reader(browser, site, addresses["file"], DESK, "light")
        found = walk(reader, ("light", "dark"), [DESK])
    else:
        reader = Reader(browser, site, addresses["http"], PHONE, "dark")
        found = walk(reader, ("dark", "light"), [PHONE, MAGNIFIED])
    yield found
    reader.page.context.close()


def test_no_page_asks_another_host_or_complains(walked):
    assert list(walked.seen) == EVERYWHERE
    assert not walked.reader.refused
    assert not walked.reader.complaints


def test_the_gate_would_notice_a_request(visit_site):
    reader = visit_site()
    page = reader.open("book/intro")
    page.evaluate("fetch('https://example.invalid/x').catch(() => null)")
    assert reader.refused == ["https://example.invalid/x"]


def test_every_formula_is_set(walked):
    assert not walked.where(lambda one: one.bare)
    assert not walked.where(lambda one: one.wrong)
    assert sum(one.formulas for one in walked.seen.values()) > 20


def test_a_formula_can_be_heard(visit_site):
    page = visit_site().open("book/notation")
    assert page.locator("mjx-assistive-mml math").count() == page.locator(".math").count() > 0


def test_nothing_is_wider_than_the_screen_at_400_percent_either(walked):
    assert not walked.where(lambda one: {size: over for size, over in one.wider.items() if over})


def test_axe_finds_no_barrier(walked):
    assert not walked.where(lambda one: one.barriers)


def test_axe_would_notice_a_barrier(visit_site):
    page = visit_site().open("book/intro")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(found.startswith("image-alt") for found in barriers(page))


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


# Of what is a page's own: not of what all pages share and a browser keeps, nor of MathJax, which
# sets formulas that can be read before.
HEAVIEST = 1_000_000


def test_no_page_weighs_more_than_a_megabyte_of_its_own(walked):
    weights = {name: one.weights for name, one in walked.seen.items()}
    shared = set.intersection(*map(set, weights.values()))
    heavy = {
        name: total for name, files in weights.items() if (total := own(files, shared)) > HEAVIEST
    }
    assert not heavy
    assert min(own(files, shared) for files in weights.values()) > 1000


def own(files: dict[str, int], shared: set[str]) -> int:
    return sum(
        size for name, size in files.items() if name not in shared and "/mathjax/" not in name
    )


def test_text_stands_out_from_its_paper(walked):
    assert not walked.where(lambda one: {scheme: poor for scheme, poor in one.poor.items() if poor})


def test_every_picture_arrives(walked):
    assert not walked.where(lambda one: one.broken)


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
