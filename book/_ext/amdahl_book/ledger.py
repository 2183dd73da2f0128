"""The claims ledger as data: read, checked and counted. Nothing here knows Sphinx."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

VERDICTS = {
    "holds": "Holds",
    "holds-if": "Holds if",
    "wrong": "Wrong",
    "unsupported": "Unsupported",
    "to-come": "To come",
}
_ID = re.compile(r"^C([1-8])\.([1-9][0-9]?)$")
_FIELDS = {"id", "claim", "verdict", "answer", "evidence"}


class LedgerError(ValueError):
    """A row of the ledger that says too little, too much or the same as another."""


@dataclass(frozen=True)
class Claim:
    """One assertion of the source and what became of it.

    Parameters
    ----------
    id : str
        `Cn.k`: chapter n, number k. Never reused.
    claim : str
        What the source says, in our words.
    verdict : str
        A key of `VERDICTS`.
    answer : str
        One or two sentences; empty only while the verdict is to come.
    evidence : tuple of str
        Labels of cells, figures, equations or sections, and citation keys.
    """

    id: str
    claim: str
    verdict: str
    answer: str = ""
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise LedgerError(f"id must read Cn.k with n from 1 to 8, got {self.id!r}")
        if not self.claim.strip():
            raise LedgerError(f"{self.id}: claim is empty")
        if self.verdict not in VERDICTS:
            raise LedgerError(
                f"{self.id}: verdict must be one of {list(VERDICTS)}, got {self.verdict!r}"
            )
        said = bool(self.answer.strip()), bool(self.evidence)
        if self.verdict == "to-come" and any(said):
            raise LedgerError(f"{self.id}: an answer or evidence needs a verdict")
        if self.verdict != "to-come" and not all(said):
            raise LedgerError(
                f"{self.id}: the verdict {self.verdict!r} needs an answer and evidence"
            )

    @property
    def chapter(self) -> int:
        """The chapter that answers the claim."""
        return int(self.id[1])

    @property
    def anchor(self) -> str:
        """The id of the claim's row in a page."""
        return "claim-" + self.id.lower().replace(".", "-")


def read_ledger(path: Path) -> tuple[Claim, ...]:
    """Read and check the ledger.

    Raises
    ------
    LedgerError
        If a row is malformed, has an unknown field, or has the id of another row.
    """
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
    claims = []
    for row in rows:
        unknown = set(row) - _FIELDS
        if unknown:
            raise LedgerError(f"{row.get('id')}: unknown fields {sorted(unknown)}")
        claims.append(Claim(**{**row, "evidence": tuple(row.get("evidence", ()))}))
    twice = [name for name, count in Counter(claim.id for claim in claims).items() if count > 1]
    if twice:
        raise LedgerError(f"ids must differ, found twice: {twice}")
    return tuple(claims)


def count_verdicts(claims: Iterable[Claim]) -> dict[str, int]:
    """Return the number of claims for each verdict, in the order of `VERDICTS`."""
    counts = Counter(claim.verdict for claim in claims)
    return {verdict: counts[verdict] for verdict in VERDICTS}
