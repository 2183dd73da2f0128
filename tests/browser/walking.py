"""One walk through all pages of the site for each setting, noting everything that tests ask about.

A page is opened once per setting and not once per question: opening is what takes the time.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from axe_playwright_python.base import AXE_SCRIPT

ROOT = Path(__file__).resolve().parents[2]
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}
MAGNIFIED = {"width": 320, "height": 256}  # 1280 by 1024 at 400%
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# An error that MathJax shows in its place, and a command that it does not know, in red.
WRONG_MATH = '[data-mml-node="merror"], mjx-container [fill="red"]'
NEXT_FRAMES = """() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))
)"""
BARE_MATH = """() => [...document.querySelectorAll('.math')]
    .filter(m => !m.querySelector('mjx-container svg :is(path, use)'))
    .map(m => m.textContent.slice(0, 60))"""
BROKEN_PICTURES = """async () => {
    const all = [...document.querySelectorAll('img')];
    for (const one of all) one.loading = 'eager';
    await Promise.all(all.map(one => one.decode().catch(() => null)));
    return all.filter(one => !one.naturalWidth).map(one => one.src);
}"""
AXE_RUNS = (
    """rules => axe.run(document, {
        runOnly: rules, rules: {'color-contrast': {enabled: false}}, resultTypes: ['violations'],
        preload: false,
    }).then(found => found.violations)""",
    """() => axe.run({exclude: ['.highlight']}, {
        runOnly: {type: 'rule', values: ['color-contrast']}, resultTypes: ['violations'],
        preload: false,
    }).then(found => found.violations)""",
)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


def contents() -> list[str]:
    """List the pages of the table of contents in reading order."""

    def files(entries):
        for entry in entries:
            yield entry.get("file")
            yield from files(entry.get("chapters", []) + entry.get("sections", []))

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *filter(None, files(toc["parts"]))]


PAGES = contents()
EVERYWHERE = [*PAGES, "search", "genindex"]


class Reader:
    """One tab: what it loaded, what it was refused, and what it complained of."""

    def __init__(self, browser, site, base, viewport=DESK, scheme="light"):
        self.site, self.base = site, base
        self.refused, self.complaints = [], []
        self.loaded: dict[str, int] = {}
        context = browser.new_context(
            viewport=viewport, color_scheme=scheme, reduced_motion="reduce"
        )
        context.route("**/*", self._gate)
        self.page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.where}: {error}"))
        self.page.on("requestfailed", lambda r: self.complaints.append(f"failed: {r.url}"))
        self.page.on("response", self._weigh)

    @property
    def where(self) -> str:
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

    def _weigh(self, response):
        name = unquote(response.url.removeprefix(self.base).split("?")[0])
        if (file := self.site / name.removeprefix("/")).is_file():
            self.loaded[name] = file.stat().st_size

    def open(self, name: str) -> Any:
        """Open a page and wait until its formulas are set."""
        self.loaded = {}
        self.page.goto(f"{self.base}/{name}.html", wait_until="load")
        if name in PAGES:
            self.page.wait_for_function(
                "!document.querySelector('.math') || !!window.MathJax?.startup?.promise"
            )
            self.page.evaluate("window.MathJax?.startup?.promise")
        return self.page


@dataclass
class Seen:
    """What was found on one page."""

    formulas: int = 0
    bare: list[str] = field(default_factory=list)
    wrong: int = 0
    broken: list[str] = field(default_factory=list)
    poor: dict[str, list[str]] = field(default_factory=dict)
    wider: dict[str, int] = field(default_factory=dict)
    barriers: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)


@dataclass
class Walk:
    """A tab that has been on every page, and what it found on each."""

    reader: Reader
    seen: dict[str, Seen]

    def where(self, question) -> dict[str, Any]:
        """Answer a question for each page; give the pages whose answer is not empty."""
        return {name: found for name, one in self.seen.items() if (found := question(one))}


def walk(reader: Reader, schemes: tuple[str, str], sizes: list[dict[str, int]]) -> Walk:
    """Open every page once in the first scheme and the first size; then switch to the others."""
    found = {}
    for name in EVERYWHERE:
        page = reader.open(name)
        one = found[name] = Seen(weights=dict(reader.loaded))
        if name in PAGES:
            one.formulas = page.locator(".math").count()
            one.bare = page.evaluate(BARE_MATH)
            one.wrong = page.locator(WRONG_MATH).count()
            one.broken = page.evaluate(BROKEN_PICTURES)
            one.barriers = barriers(page)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            if name in PAGES:
                one.poor[scheme] = page.evaluate(CONTRAST)
        for size in sizes:
            page.set_viewport_size(size)
            page.evaluate(NEXT_FRAMES)  # explorers draw themselves anew
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            one.wider[f"{size['width']} px"] = max(over, 0)
        page.emulate_media(color_scheme=schemes[0])
        page.set_viewport_size(sizes[0])
    return Walk(reader, found)


def barriers(page: Any) -> list[str]:
    """List what axe-core finds against WCAG 2.2 AA on a page.

    Its rule on contrast takes seconds for the many coloured words of a code block; there
    `contrast.js` looks alone, as it does everywhere in both schemes.
    """
    page.evaluate(AXE_SCRIPT)
    found = [violation for run in AXE_RUNS for violation in page.evaluate(run, RULES)]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found
        for node in violation["nodes"]
    ]
