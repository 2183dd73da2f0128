"""What must be true of every page that was built."""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
TEXT_FILES = ("*.html", "*.js", "*.ipynb", "*.md", "*.inv", "*.json", "*.css")
LOADED = [
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("source", "src"),
    ("iframe", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
]


def all_html(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    return [path for path in found if "_static" not in path.parts and "_sources" not in path.parts]


def test_the_order_is_front_matter_then_eight_chapters_then_reference(toc):
    chapters = [name for name in toc if re.fullmatch(r"chapters/\d\d_\w+/index", name)]
    assert [name.split("/")[1][:2] for name in chapters] == [f"{n:02}" for n in range(1, 9)]
    front = ["intro", "how_to_use", "teachers_guide", "notation"]
    assert toc[:4] == [f"book/{name}" for name in front]
    last_of_chapters = max(n for n, name in enumerate(toc) if not name.startswith("book/"))
    reference = toc[last_of_chapters + 1 :]
    assert reference[:2] == ["book/ledger", "book/reference_machine"]
    assert reference[-2:] == ["book/glossary", "book/bibliography"]
    assert all(name.startswith("book/") for name in reference)


def test_the_menu_lists_the_pages_in_the_order_of_the_contents(pages, toc):
    base = "book/"
    links = pages["book/intro"].select("nav.bd-links a.reference.internal[href]")
    shown = [(Path(base) / a["href"]).as_posix().replace("book/../", "") for a in links]
    shown = [name.removesuffix(".html") for name in shown if not name.endswith("#")]
    assert shown == toc[1:]


def test_only_the_pages_of_the_contents_are_built(site, toc):
    built = {path.relative_to(site).with_suffix("").as_posix() for path in all_html(site)}
    assert built - set(toc) == {"index", "search", "genindex"}


def test_every_page_has_a_title_a_language_and_one_first_heading(pages):
    for name, page in pages.items():
        assert page.html["lang"] == "en", name
        assert "Amdahl's Law in Deep Learning" in page.title.text.replace("’", "'"), name
        assert len(page.select("article h1")) == 1, name


def test_every_page_has_its_own_description(pages):
    told = {}
    for name, page in pages.items():
        found = page.select('meta[name="description"]')
        assert len(found) == 1, f"{name} has {len(found)} descriptions"
        text = found[0]["content"]
        assert 20 <= len(text) <= 260, (name, text)
        told.setdefault(text, []).append(name)
    assert not [names for names in told.values() if len(names) > 1]


def test_headings_skip_no_level(pages):
    for name, page in pages.items():
        levels = [int(tag.name[1]) for tag in page.select("article :is(h1, h2, h3, h4, h5, h6)")]
        jumps = [(a, b) for a, b in itertools.pairwise(levels) if b > a + 1]
        assert not jumps, (name, levels)


def test_nothing_is_loaded_from_elsewhere(site):
    for path in all_html(site):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag, attribute in LOADED:
            for found in page.find_all(tag):
                address = found.get(attribute, "")
                assert not re.match(r"(https?:)?//", address), f"{path.name} loads {address}"


def test_no_widget_manager_and_no_module_loader_is_named(site):
    for path in all_html(site):
        text = path.read_text(encoding="utf-8")
        for name in ("require.min.js", "embed-amd", "html-manager", "unpkg.com", "jsdelivr"):
            assert name not in text, f"{path.name} names {name}"


def test_a_page_loads_the_scripts_of_its_explorers_and_no_other(pages):
    for name, page in pages.items():
        held = {f"explorer-{one['data-explorer']}.js" for one in page.select(".amdahl-explorer")}
        sources = {Path(urlsplit(one["src"]).path).name for one in page.select("script[src]")}
        assert {source for source in sources if source.startswith("explorer-")} == held, name
    assert pages["chapters/01_amdahls_law/index"].select(".amdahl-explorer")


def test_every_picture_has_words(pages):
    for name, page in pages.items():
        for image in page.select("article img"):
            words = image.get("alt", "")
            assert len(words) > 20, f"{name}: {image.get('src')} says {words!r}"
            assert not words.startswith("<Figure"), name


def test_every_figure_has_a_caption(pages):
    for name, page in pages.items():
        for figure in page.select("article figure"):
            assert len(figure.figcaption.text if figure.figcaption else "") > 20, name


def test_every_internal_link_leads_somewhere(site):
    cache: dict[Path, set[str]] = {}

    def anchors(path: Path) -> set[str]:
        if path not in cache:
            page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            cache[path] = {tag["id"] for tag in page.find_all(id=True)}
        return cache[path]

    broken = []
    for path in all_html(site):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for link in page.find_all("a", href=True):
            address = urlsplit(link["href"])
            if address.scheme or link["href"] == "#":
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            if not target.is_file() or (
                address.fragment and unquote(address.fragment) not in anchors(target)
            ):
                broken.append((path.name, link["href"]))
    assert not broken


def test_no_page_holds_a_path_of_the_machine_it_was_built_on(site):
    # Whatever holds this checkout, a home folder or a temporary one must not be seen by a reader.
    marks = {str(ROOT), str(Path.home()) + "/", "/tmp/", "/home/", "/Users/"} - {"//", "/root/"}
    for pattern in TEXT_FILES:
        for path in site.rglob(pattern):
            if "_static" in path.parts:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            seen = [mark for mark in marks if mark in text]
            assert not seen, f"{path.relative_to(site)} holds {seen}"


def test_no_address_of_a_registry_is_in_a_page(pages):
    for name, page in pages.items():
        for host in ("pypi.org", "download.pytorch.org", "localhost", "127.0.0.1", "index-url"):
            assert host not in page.article.text, (name, host)


def test_notebooks_can_be_downloaded(site, toc):
    for name in toc:
        if (ROOT / f"{name}.ipynb").exists():
            assert (site / "_sources" / f"{name}.ipynb").exists(), name


@pytest.mark.parametrize("number", range(2, 9))
def test_a_chapter_to_come_says_so_and_shows_no_result(pages, number):
    (name,) = [name for name in pages if name.startswith(f"chapters/{number:02}_")][:1]
    page = pages[name]
    if not page.select(".admonition.to-come"):
        return  # written
    assert not page.select("article :is(figure, img, .cell, .amdahl-explorer)")


def test_the_front_page_asks_eight_questions_and_each_leads_to_its_chapter(pages, toc):
    cards = pages["book/intro"].select(".questions .question")
    assert len(cards) == 8
    for number, card in enumerate(cards, start=1):
        (target,) = {a["href"] for a in card.select("a[href]")}
        assert f"chapters/{number:02}_" in target
        planned = "is-planned" in card["class"]
        (name,) = [name for name in toc if name.startswith(f"chapters/{number:02}_")][:1]
        assert planned == bool(pages[name].select(".admonition.to-come")), name


def test_every_recorded_run_tells_its_workers(pages):
    rows = pages["book/reference_machine"].select("table.runs tbody tr")
    assert rows
    for row in rows:
        name, _, workers, *_ = (cell.get_text(strip=True) for cell in row.select("td"))
        assert workers, name


def test_each_term_has_a_chinese_one(pages):
    entries = pages["book/glossary"].select("dl.glossary > dd")
    assert len(entries) >= 30
    for entry in entries:
        chinese = entry.select_one(".zh")
        assert chinese is not None, entry.text[:40]
        assert chinese["lang"] == "zh", entry.text[:40]
        assert re.search(r"[\u4e00-\u9fff]", chinese.text), entry.text[:40]
