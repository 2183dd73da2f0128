"""What this book adds to Sphinx. One module per idea; each has its own `setup`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import (
    alt_text,
    assets,
    claims,
    figure_index,
    glued,
    hero,
    launch,
    machines,
    pages,
    provenance,
    questions,
    reference,
    verdicts,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_PARTS = (
    alt_text,
    assets,
    claims,
    figure_index,
    glued,
    hero,
    launch,
    machines,
    pages,
    provenance,
    questions,
    reference,
    verdicts,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every part; the package of this tree comes before an installed one."""
    root = str(app.srcdir)
    if root not in sys.path:
        sys.path.insert(0, root)
    for part in _PARTS:
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
