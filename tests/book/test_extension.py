"""What the site's own extension does, and what it refuses: each refusal shown by a small book."""

import base64
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from amdahl_book.alt_text import words_of
from amdahl_book.glued import GlueError, find, formatted
from amdahl_book.hero import hero_svg
from amdahl_book.pages import shortened
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
    )
).decode()
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 9L9 0"/></svg>'
WORDS = "A line that rises from one to three."


def output(data, name=None, prefix=""):
    scrap = {"scrapbook": {"name": name, "mime_prefix": prefix}} if name else {}
    data = {prefix + mime: content for mime, content in data.items()}
    return {"output_type": "display_data", "data": data, "metadata": scrap}


def notebook(*outputs):
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "only",
        "metadata": {},
        "source": "1",
        "outputs": list(outputs),
    }
    head = {"cell_type": "markdown", "id": "head", "metadata": {}, "source": "# A lab"}
    metadata = {"language_info": {"name": "python"}}
    return json.dumps(
        {"cells": [head, cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


HIDDEN = "application/papermill.record/"
LAB = notebook(
    output({"text/plain": "'1.83 (95% interval 1.79 to 1.87)'"}, "speedup", HIDDEN),
    output({"text/plain": "np.float64(0.0812)"}, "share", HIDDEN),
    output({"image/svg+xml": PICTURE, "text/plain": WORDS}, "picture"),
    output({"image/png": PIXEL, "text/plain": "<Figure size 640x480 with 1 Axes>"}, "wordless"),
    output(
        {"text/html": '<div class="amdahl-explorer" data-explorer="speedup"></div>'}, "explorer"
    ),
    output(
        {
            "application/vnd.jupyter.widget-view+json": {"model_id": "m"},
            "text/html": "<p>the words of a widget</p>",
            "text/plain": "Widget()",
        }
    ),
)
LEDGER = """claims:
- id: C1.1
  claim: one
  verdict: holds
  answer: yes it does
  evidence: [someone1967, fig-a, eq-a, sec-a]
- {id: C1.2, claim: two, verdict: wrong, answer: no it does not, evidence: [fig-nowhere]}
- {id: C2.1, claim: three, verdict: to-come}
"""
GOOD = """# Good

It is {glued}`lab:speedup`, of which {glued}`lab:share:.1%` is serial; see {claim}`C1.1`.

$$ a = b $$ (eq-a)

```{glued-figure} lab:picture
:name: fig-a
The line rises.
```

(sec-a)=
## A section

```{glued-explorer} lab:explorer
```

```{bibliography}
```
"""
BAD = """# Bad

{glued}`lab:nothing` {glued}`nolab:speedup` {glued}`lab:speedup:.1%` {claim}`C7.7`

```{glued-figure} lab:share
A caption.
```

```{glued-figure} lab:picture
```

```{glued-explorer} lab:speedup
```

```{claims} 3
```

![](pixel.png)
"""
CONFIGURATION = {
    "extensions": ["myst_nb", "sphinxcontrib.bibtex", "amdahl_book"],
    "bibtex_bibfiles": ["references.bib"],
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},
    "nb_mime_priority_overrides": [
        ["html", "application/vnd.jupyter.widget-view+json", None],
        ["html", "text/html", 1],
    ],
    "myst_enable_extensions": ["dollarmath"],
    "numfig": True,
    "html_title": "A small book",
    "root_doc": "start",
    "nitpicky": True,
}


FILES = {
    "book/claims.yml": LEDGER,
    "book/ledger.md": "# Ledger\n\n```{claims} 1\n```\n```{claims} 2\n```\n"
    "```{claims-summary}\n```\n",
    # Its own page: Sphinx writes a page again when one in its table of contents changes.
    "start.md": "# Start\n\n```{toctree}\nbook/ledger\none/good\none/bad\none/lab\n```\n",
    "one/good.md": GOOD,
    "one/bad.md": BAD,
    "one/lab.ipynb": LAB,
    "references.bib": "@misc{someone1967, author={One, Some}, title={T}, year={1967}}",
}


def write(folder, files):
    for name, text in files.items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(folder, configuration=CONFIGURATION):
    """Build the book in `folder/source`, as far as it changed, and return the warnings."""
    settings = "".join(f"{name} = {value!r}\n" for name, value in configuration.items())
    path = f"import sys\nsys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
    write(folder, {"conf.py": path + settings})
    flags = ["-q", "-W", "--keep-going", "--no-color", "-d", folder / "trees"]
    command = [sys.executable, "-m", "sphinx", *flags, folder / "source", folder / "html"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stderr


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """A book of five pages, built once: its folder and its warnings."""
    folder = tmp_path_factory.mktemp("book")
    write(folder, FILES)
    (folder / "source" / "one" / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    return folder / "html", build(folder)


@pytest.fixture(scope="module")
def good(small_book):
    folder, _ = small_book
    text = (folder / "one" / "good.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


@pytest.mark.parametrize(
    "said",
    [
        "lab.ipynb glues no 'nothing'",
        "no notebook 'nolab.ipynb'",
        "can't be formatted with '.1%'",
        "amdahl-claim' reference target not found: C7.7",
        "'lab:share' is no picture",
        "'lab:picture' needs a caption",
        "'lab:speedup' has no HTML",
        "no claims of chapter '3'",
        "amdahl-evidence' reference target not found: fig-nowhere",
    ],
)
def test_what_is_not_in_order_is_warned_of(small_book, said):
    assert said in small_book[1]


def test_every_image_without_words_is_warned_of(small_book):
    found = [line for line in small_book[1].splitlines() if "without alternative text" in line]
    assert len(found) == 2, found  # a bare Markdown image, and a figure that only has a repr
    assert "bad.md" in " ".join(found)
    assert "lab.ipynb" in " ".join(found)


def test_a_page_in_order_is_not_warned_of(small_book):
    assert "good.md" not in small_book[1]


def test_a_build_with_warnings_opens_no_front_door(small_book):
    assert not (small_book[0] / "index.html").exists()
    assert not (small_book[0].parent / "trees" / "environment.pickle").exists()


def test_numbers_come_from_the_notebook(good):
    shown = [tag.text for tag in good.select("span.glued")]
    assert shown == ["1.83 (95% interval 1.79 to 1.87)", "8.1%"]


def test_a_figure_comes_with_words_caption_and_number(good, small_book):
    figure = good.find("figure", id="fig-a")
    assert figure.img["alt"] == WORDS
    assert "The line rises." in figure.figcaption.text
    assert "Fig. 1" in figure.figcaption.text
    assert (small_book[0] / "one" / figure.img["src"]).read_text(encoding="utf-8") == PICTURE


def test_a_notebooks_own_picture_gets_its_words(small_book):
    page = BeautifulSoup(
        (small_book[0] / "one" / "lab.html").read_text(encoding="utf-8"), "html.parser"
    )
    assert page.select("img[src$=svg]")[0]["alt"] == WORDS


def test_html_wins_over_a_widget(small_book):
    text = (small_book[0] / "one" / "lab.html").read_text(encoding="utf-8")
    assert "the words of a widget" in text
    assert "widget-view" not in text
    assert "Widget()" not in text


def test_evidence_is_linked_by_what_it_is(small_book):
    text = (small_book[0] / "book" / "ledger.html").read_text(encoding="utf-8")
    row = BeautifulSoup(text, "html.parser").find(id="claim-c1-1")
    links = {a.text: a["href"] for a in row.select(".evidence a")}
    assert links["Fig. 1"] == "../one/good.html#fig-a"
    assert links["A section"] == "../one/good.html#sec-a"
    assert any(href.endswith("#equation-eq-a") for href in links.values())
    assert any("someone1967" in href or "id" in href for href in links.values())


def test_the_summary_counts_the_rows(small_book):
    text = (small_book[0] / "book" / "ledger.html").read_text(encoding="utf-8")
    counts = [i.text for i in BeautifulSoup(text, "html.parser").select(".verdict-counts strong")]
    assert counts == ["1", "0", "1", "0", "1"]  # holds, holds if, wrong, unsupported, to come


def test_the_script_loads_where_an_explorer_is(small_book):
    folder, _ = small_book
    with_one = {"good.html", "lab.html"}
    for path in (folder / "one").glob("*.html"):
        assert ("explorer-speedup.js" in path.read_text(encoding="utf-8")) == (
            path.name in with_one
        )


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ("'A line\n  that rises'", "A line that rises"),
        ("A line", "A line"),
        ("<Figure size 640x480 with 1 Axes>", ""),
        ("<amdahl_lab.figures.Picture object at 0x7f>", ""),
        ("", ""),
    ],
)
def test_words_of_an_output(plain, words):
    assert words_of(plain) == words


@pytest.mark.parametrize(
    ("plain", "spec", "text"),
    [
        ("0.0812", ".1%", "8.1%"),
        ("np.float64(0.5)", ".2f", "0.50"),
        ("'already text'", "", "already text"),
        ("12", "", "12"),
    ],
)
def test_a_value_is_formatted(plain, spec, text):
    assert formatted(plain, spec) == text


@pytest.mark.parametrize("target", ["", "lab", "lab:", ":name"])
def test_a_target_of_another_form_is_refused(tmp_path, target):
    with pytest.raises(GlueError, match="must read notebook:name"):
        find(tmp_path, target)


def test_a_changed_notebook_is_read_again(tmp_path):
    path = tmp_path / "lab.ipynb"
    for number, value in enumerate(("1", "2")):
        path.write_text(notebook(output({"text/plain": value}, "v")), encoding="utf-8")
        os.utime(path, ns=(number, number))
        assert find(tmp_path, "lab:v")[1]["text/plain"] == value


def test_text_is_cut_at_a_word():
    assert shortened("one  two three", 9) == "one two…"
    assert shortened("short", 9) == "short"


def test_the_front_picture_has_the_heights_of_the_law():
    picture = BeautifulSoup(hero_svg(0.25), "html.parser").svg
    divided = [float(r["height"]) for r in picture.select(".hero-divided")]
    serial = {r["height"] for r in picture.select(".hero-serial")}
    assert len(serial) == 1, "the serial part is the same in every bar"
    # a quarter is serial, so the divided part is three times as high on one worker, and halves
    assert divided[0] == pytest.approx(3 * float(serial.pop()), abs=0.2)
    for first, second in itertools.pairwise(divided):
        assert second == pytest.approx(first / 2, abs=0.11)
    # 1 / (1/4 + 3/8) = 1.6 on two workers; the limit is 4
    assert "2 workers are 1.6 times" in picture["aria-label"]
    assert "no number reaches 4" in picture["aria-label"]


def test_a_change_on_one_page_is_seen_on_the_pages_that_build_on_it(tmp_path):
    in_order = LEDGER.replace("fig-nowhere", "fig-a")
    write(tmp_path, {**FILES, "book/claims.yml": in_order, "one/bad.md": "# Not bad\n"})
    notebook_in_order = json.loads(LAB)
    notebook_in_order["cells"][1]["outputs"].pop(3)  # the picture without words
    write(tmp_path, {"one/lab.ipynb": json.dumps(notebook_in_order)})
    assert build(tmp_path) == ""
    assert (tmp_path / "html" / "index.html").exists()

    write(tmp_path, {"one/lab.ipynb": json.dumps(notebook_in_order).replace("1.83 (", "1.92 (")})
    assert build(tmp_path) == ""
    assert "1.92 (95%" in (tmp_path / "html" / "one" / "good.html").read_text(encoding="utf-8")

    write(tmp_path, {"one/good.md": GOOD.replace(":name: fig-a\n", "")})
    assert "book/ledger.md" in build(tmp_path), "the ledger's evidence went"
    assert not (tmp_path / "html" / "index.html").exists()


def buttons(folder, address):
    """Build a book of one notebook with that address; return what its launch buttons lead to."""
    settings = {
        "extensions": ["myst_nb", "sphinx_book_theme", "amdahl_book"],
        "nb_execution_mode": "off",
        "nb_ipywidgets_js": {},
        "html_theme": "sphinx_book_theme",
        "html_title": "A small book",
        "root_doc": "lab",
        "repository_address": address,
    }
    write(folder, {"lab.ipynb": notebook()})
    said = build(folder, settings)
    page = (folder / "html" / "lab.html").read_text(encoding="utf-8")
    links = BeautifulSoup(page, "html.parser").select("a[href*=binder], a[href*=colab]")
    return said, {link["href"] for link in links}


def test_launch_buttons_are_filled_from_one_setting(tmp_path):
    said, links = buttons(tmp_path, "https://github.com/owner/name.git")
    assert said == ""
    assert links == {
        "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/lab.ipynb",
        "https://colab.research.google.com/github/owner/name/blob/main/lab.ipynb",
    }


def test_without_an_address_there_is_no_launch_button(tmp_path):
    assert buttons(tmp_path, "") == ("", set())


def test_an_address_that_is_none_is_refused(tmp_path):
    write(tmp_path, {"start.md": "# Start\n"})
    said = build(tmp_path, {**CONFIGURATION, "repository_address": "owner/name"})
    assert "repository_address must read https://host/owner/name" in said


CHAPTERS = {
    "chapters/01_sums/index.md": "# Sums\n\n{.question-line}\nWhat adds up?\n",
    "chapters/02_parts/index.md": "# Parts\n\n**What is left?**\n\n"
    "```{admonition} To come\n:class: to-come\nNot yet.\n```\n",
}
FORMULA = "```{figure} /pixel.png\n:name: fig-b\n:alt: a line that rises\nIt is $x$.\n```\n"


@pytest.fixture(scope="module")
def matter(tmp_path_factory):
    """A book of front and back matter over two chapters: its pages and its warnings."""
    folder = tmp_path_factory.mktemp("matter")
    inside = "".join(f"{name.removesuffix('.md')}\n" for name in CHAPTERS)
    files = {
        **CHAPTERS,
        "book/start.md": "# Start\n\n```{question-cards}\n```\n\n```{question-map}\n```\n",
        "book/figures.md": f"# Figures\n\n{FORMULA}\n```{{figure-index}}\n```\n",
        "book/data.md": "# Data\n\n```{data-files}\n```\n",
        "book/api.md": "# Package\n\n```{api} some.parts\n```\n\n```{api} some.nothing\n```\n",
        "start.md": "# A\n\n```{toctree}\nbook/start\nbook/figures\nbook/data\nbook/api\n"
        f"{inside}```\n",
        "book/data.yml": 'data:\n- {files: "*.json", what: a, source: b, licence: c}\n',
        "amdahl_lab/recorded/known.json": "{}",
        "amdahl_lab/recorded/table.csv": "a,b",
        "some/parts.py": PACKAGE,
    }
    write(folder, files)
    (folder / "source" / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    settings = {
        **CONFIGURATION,
        "extensions": ["myst_nb", "sphinx_design", "sphinxcontrib.bibtex", "amdahl_book"],
        "bibtex_bibfiles": [],
        "exclude_patterns": ["some"],
        "myst_enable_extensions": ["dollarmath", "colon_fence", "attrs_block"],
    }
    said = build(folder, settings)
    pages = {
        path.stem: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in (folder / "html" / "book").glob("*.html")
    }
    return pages, said


PACKAGE = '''"""What `parts` are."""
import nothing_that_is_installed


def half(whole, *, times: int = 1):
    """Half of `whole`.

    Parameters
    ----------
    whole : float, above 0
        What is cut.

        Twice, if asked.

    Examples
    --------
    >>> half(2)
    1
    """


def _hidden():
    """Nobody sees this."""
'''


def test_cards_and_map_say_what_the_chapters_say(matter):
    page = matter[0]["start"]
    told = [" ".join(card.text.split()) for card in page.select(".question")]
    assert told == ["Sums What adds up? Sums", "Parts What is left? Parts"]
    states = ["is-planned" in card["class"] for card in page.select(".question")]
    assert states == [False, True]
    links = [link["href"] for link in page.select("svg.question-map a")]
    assert links == ["../chapters/01_sums/index.html", "../chapters/02_parts/index.html"]
    assert len(page.select("svg .map-arrow")) == 1, "from 1 to 2; the others are not there"
    assert page.select_one("svg title").text == "Map of the chapters: chapter 2 builds on 1."


def test_the_index_of_figures_has_number_caption_and_page(matter):
    (entry,) = matter[0]["figures"].select("table.figure-index tbody tr")
    number, caption, page = entry.select("td")
    assert number.text.strip() == "Fig. 1"
    assert number.a["href"] == "#fig-b"
    assert "It is" in caption.text
    assert caption.select(".math")
    assert page.text.strip() == "Figures"


def test_a_data_file_without_a_source_is_warned_of(matter):
    assert "names no source and no licence of table.csv" in matter[1]


def test_the_package_is_read_and_not_run(matter):
    page = matter[0]["api"]
    assert "no module some.nothing" in matter[1]
    section = page.find(id="api-parts-half")
    assert "half(whole, *, times=1)" in section.text
    assert "Twice, if asked." in section.select_one("dd").text
    assert ">>> half(2)" in section.text
    assert "Nobody sees this" not in page.text
