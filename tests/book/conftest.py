"""The pages of the built site as parsed HTML, and the site's own extension as a package."""

import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))


def listed_pages(entries: list[dict]) -> list[str]:
    """Return the files of a table of contents in reading order."""
    found: list[str] = []
    for entry in entries:
        if "file" in entry:
            found.append(entry["file"].removesuffix(".md").removesuffix(".ipynb"))
        found += listed_pages(entry.get("chapters", []) + entry.get("sections", []))
    return found


@pytest.fixture(scope="session")
def toc() -> list[str]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [contents["root"], *listed_pages(contents["parts"])]


@pytest.fixture(scope="session")
def pages(site, toc) -> dict[str, BeautifulSoup]:
    """Each page of the table of contents, by its name."""
    return {
        name: BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in toc
    }
