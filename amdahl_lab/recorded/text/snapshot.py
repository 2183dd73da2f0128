"""Takes the snapshot of the book's text anew from its pages.

    python -m amdahl_lab.recorded.text.snapshot

Only a maintainer needs it, from the root of the repository.
"""

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from amdahl_lab.recorded.text import FOLDER

MOST_CHARACTERS = 190_000  # what comes after them is left out
EVERY = 10  # one paragraph of so many is held out
OTHERWISE = str.maketrans({"×": "x", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"'})


def snapshot(root: Path) -> dict[str, str]:
    """Make the files of the snapshot from the pages below `root`.

    Parameters
    ----------
    root : Path
        Folder that holds ``chapters`` and ``book``.

    Returns
    -------
    dict of str to str
        Content by file name. No paragraph comes twice, so none that is held out is trained on.

    Raises
    ------
    ValueError
        If there is no page.
    """
    pages = {path.relative_to(root).as_posix(): path for path in _pages(root)}
    if not pages:
        raise ValueError(f"root must hold chapters and book with pages, got {str(root)!r}")
    paragraphs = _distinct({name: _prose(path) for name, path in pages.items()})
    held_out = paragraphs[EVERY - 1 :: EVERY]
    training = [each for number, each in enumerate(paragraphs, 1) if number % EVERY]
    return {
        "training.txt": "\n\n".join(training) + "\n",
        "held_out.txt": "\n\n".join(held_out) + "\n",
        "pages.csv": _provenance(pages),
    }


def _pages(root: Path) -> Iterator[Path]:
    for folder in ("chapters", "book"):
        for path in sorted((root / folder).rglob("*")):
            hidden = any(part[0] in "._" for part in path.relative_to(root).parts)
            if path.suffix in (".md", ".ipynb") and not hidden:
                yield path


def _prose(path: Path) -> str:
    """Return the Markdown of a page, of a notebook's text cells, without its front matter."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(source)["cells"]
        texts = ["".join(each["source"]) for each in cells if each["cell_type"] == "markdown"]
        source = "\n\n".join(texts)
    plain = unicodedata.normalize("NFKD", source.translate(OTHERWISE))
    plain = "".join(each for each in plain if each == "\n" or " " <= each <= "~")
    return re.sub(r"\A---\n.*?\n---\n", "", plain, flags=re.DOTALL)


def _distinct(prose: Mapping[str, str]) -> list[str]:
    found: dict[str, None] = {}
    total = 0
    for text in prose.values():
        for paragraph in re.split(r"\n\s*\n", text):
            paragraph = re.sub(r" +\n", "\n", paragraph).strip()
            if not paragraph or paragraph in found:
                continue
            total += len(paragraph) + 2
            if total > MOST_CHARACTERS:
                return list(found)
            found[paragraph] = None
    return list(found)


def _provenance(pages: Mapping[str, Path]) -> str:
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["page", "sha256"])
    for name, path in pages.items():
        rows.writerow([name, hashlib.sha256(path.read_bytes()).hexdigest()])
    return file.getvalue()


if __name__ == "__main__":
    for name, content in snapshot(Path.cwd()).items():
        (FOLDER / name).write_bytes(content.encode("ascii"))
        print(f"{name}: {len(content):,} bytes")
