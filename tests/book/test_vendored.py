"""What the site takes along from others is what it was when it was taken, with its licence."""

import hashlib
from pathlib import Path

MATHJAX = Path(__file__).resolve().parents[2] / "book" / "_vendor" / "mathjax"
OUR_OWN = {"README.md", "SHA256SUMS"}


def listed() -> dict[str, str]:
    lines = (MATHJAX / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name.removeprefix("./"): digest for digest, name in (line.split() for line in lines)}


def test_every_file_has_the_checksum_that_is_listed():
    wrong = [
        name
        for name, digest in listed().items()
        if hashlib.sha256((MATHJAX / name).read_bytes()).hexdigest() != digest
    ]
    assert not wrong


def test_nothing_is_there_that_is_not_listed():
    there = {path.relative_to(MATHJAX).as_posix() for path in MATHJAX.rglob("*") if path.is_file()}
    assert there - OUR_OWN == set(listed())


def test_the_licence_came_along():
    assert "LICENSE" in listed()
    assert "Apache License" in (MATHJAX / "LICENSE").read_text(encoding="utf-8")


def test_all_of_it_weighs_less_than_two_megabytes():
    assert sum((MATHJAX / name).stat().st_size for name in listed()) < 2_000_000
