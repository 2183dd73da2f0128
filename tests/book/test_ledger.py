"""The ledger holds every claim once, answers those of written chapters, and proves its answers."""

import re
from pathlib import Path

import pytest
import yaml
from amdahl_book.ledger import Claim, LedgerError, count_verdicts, read_ledger

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "book" / "claims.yml"
# How many checkable claims each of the source's eight parts makes.
CLAIMS = {1: 8, 2: 11, 3: 13, 4: 8, 5: 9, 6: 16, 7: 8, 8: 3}


def chapter_page(number: int) -> Path:
    (page,) = ROOT.glob(f"chapters/{number:02}_*/index.md")
    return page


def is_written(number: int) -> bool:
    return ":class: to-come" not in chapter_page(number).read_text(encoding="utf-8")


def cited_keys() -> set[str]:
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE))


def labels() -> set[str]:
    """Labels of figures, equations, sections and cells, as the sources write them."""
    found: set[str] = set()
    for path in [*ROOT.glob("chapters/*/*.md"), *ROOT.glob("chapters/*/*.ipynb")]:
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r"\(([\w.-]+)\)=", text))
        found.update(re.findall(r"\$\$ *\(([\w.-]+)\)", text))
        found.update(re.findall(r":(?:name|label): *([\w.-]+)", text))
    return found


@pytest.fixture(scope="module")
def ledger() -> tuple[Claim, ...]:
    return read_ledger(LEDGER)


def test_every_claim_of_the_source_is_there_once(ledger):
    expected = [f"C{n}.{k}" for n, count in CLAIMS.items() for k in range(1, count + 1)]
    assert [claim.id for claim in ledger] == expected


@pytest.mark.parametrize("number", CLAIMS)
def test_a_written_chapter_answers_its_claims_and_no_other_does(ledger, number):
    verdicts = {claim.verdict for claim in ledger if claim.chapter == number}
    if is_written(number):
        assert "to-come" not in verdicts
    else:
        assert verdicts == {"to-come"}, "a chapter that is to come has earned no verdict"


def test_every_claim_is_judged_by_evidence(ledger):
    assert not [claim.id for claim in ledger if claim.verdict == "to-come" or not claim.evidence]
    assert {claim.chapter for claim in ledger} == CLAIMS.keys()


def test_what_is_wrong_or_unsupported_is_argued_in_more_than_one_sentence(ledger):
    argued = [claim for claim in ledger if claim.verdict in ("wrong", "unsupported")]
    assert argued
    short = [c.id for c in argued if len(re.findall(r"[.!?](?:\s|$)", c.answer)) < 2]
    assert not short


def test_the_ledger_counts_the_verdicts_of_each_chapter(ledger, pages):
    lines = [
        [cell.get_text(strip=True) for cell in line.select("th, td")]
        for line in pages["book/ledger"].select("table.verdict-table tr")
    ]
    verdicts = {"Holds": "holds", "Holds if": "holds-if", "Wrong": "wrong"}
    verdicts |= {"Unsupported": "unsupported", "To come": "to-come"}
    head, *rows, whole = lines
    assert len(rows) == len(CLAIMS)
    for number, line in enumerate(rows, 1):
        told = dict(zip(head[1:], line[1:], strict=True))
        assert told.pop("All") == str(CLAIMS[number])
        for word, count in told.items():
            here = [c for c in ledger if (c.chapter, c.verdict) == (number, verdicts[word])]
            assert count == (str(len(here)) if here else "·")
    assert whole[-1] == str(len(ledger))


def test_the_bars_say_in_words_what_they_show(ledger, pages):
    told = pages["book/ledger"].select_one(".verdict-chart[role=img]")["aria-label"]
    for number, count in CLAIMS.items():
        line = re.search(rf"chapter {number}: ([^;.]*)", told)[1]
        assert sum(map(int, re.findall(r"\d+", line))) == count


@pytest.mark.parametrize("verdict", ["wrong", "unsupported"])
def test_every_claim_that_fell_is_argued_on_the_page(ledger, pages, verdict):
    heading = {"wrong": "what-is-wrong", "unsupported": "what-cant-be-checked"}[verdict]
    items = pages["book/ledger"].select(f"section#{heading} .claims-argued > li")
    fell = [claim for claim in ledger if claim.verdict == verdict]
    assert [item.select_one(".claim-id").get_text(strip=True) for item in items] == [
        claim.id for claim in fell
    ]
    for item, claim in zip(items, fell, strict=True):
        assert item.select_one(f"a[href='#{claim.anchor}']")
        assert claim.answer[:20] in item.get_text(" ", strip=True)


def test_evidence_exists(ledger):
    known = labels() | cited_keys()
    missing = {claim.id: [e for e in claim.evidence if e not in known] for claim in ledger}
    assert not {name: keys for name, keys in missing.items() if keys}


def test_answers_are_one_to_three_sentences(ledger):
    long = [claim.id for claim in ledger if len(re.findall(r"[.!?](?:\s|$)", claim.answer)) > 3]
    assert not long


def test_the_counts_are_those_of_the_file(ledger):
    rows = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))["claims"]
    for verdict, count in count_verdicts(ledger).items():
        assert count == sum(row["verdict"] == verdict for row in rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "true"}, "verdict must be one of"),
        ({"answer": ""}, "needs an answer and evidence"),
        ({"evidence": ()}, "needs an answer and evidence"),
        ({"verdict": "to-come"}, "needs a verdict"),
        ({"id": "C9.1"}, "id must read Cn.k"),
        ({"claim": " "}, "claim is empty"),
    ],
)
def test_a_row_that_is_not_in_order_is_refused(change, said):
    row = {"id": "C1.1", "claim": "c", "verdict": "holds", "answer": "a", "evidence": ("e",)}
    Claim(**row)
    with pytest.raises(LedgerError, match=said):
        Claim(**{**row, **change})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "C1.1"}, {"id": "C1.1"}], "found twice"),
        ([{"id": "C1.1", "lead": "x"}], "unknown fields"),
    ],
)
def test_a_file_that_is_not_in_order_is_refused(tmp_path, rows, said):
    rows = [{"claim": "c", "verdict": "to-come", **row} for row in rows]
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump({"claims": rows}), encoding="utf-8")
    with pytest.raises(LedgerError, match=said):
        read_ledger(path)


@pytest.mark.parametrize("number", CLAIMS)
def test_each_chapter_and_the_ledger_show_every_row(ledger, pages, number):
    chapter = chapter_page(number).relative_to(ROOT).with_suffix("").as_posix()
    for page in ("book/ledger", chapter):
        anchors = {tag["id"] for tag in pages[page].select("[id^=claim-c]")}
        expected = {claim.anchor for claim in ledger if claim.chapter == number}
        assert expected <= anchors, f"{page} leaves out {expected - anchors}"


def test_evidence_on_the_page_is_a_link(ledger, pages):
    for claim in ledger:
        if claim.evidence:
            row = pages["book/ledger"].find(id=claim.anchor)
            assert len(row.select(".evidence a[href]")) >= len(claim.evidence), claim.id
