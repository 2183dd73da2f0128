"""Every picture says in words what it shows.

A notebook's picture carries its alternative text as the `text/plain` of its output. Matplotlib's
own `<Figure size ...>` says nothing and does not count. A picture left without words is a warning,
and so an error in the build of the book.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
_REPR = re.compile(r"^<.*>$", re.DOTALL)


def words_of(plain: str) -> str:
    """Return the alternative text held in a `text/plain` output, or an empty string."""
    text = " ".join(plain.split())
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return "" if _REPR.match(text) else text


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


class CopyAltText(SphinxTransform):
    """Give the images of each output the words of its `text/plain`."""

    default_priority = 400

    def apply(self) -> None:
        """Run on each document once it is read."""
        for bundle in self.document.findall(_is_bundle):
            plain = "".join(
                child.astext()
                for child in bundle.children
                if child.get("mime_type") == "text/plain"
            )
            words = words_of(plain)
            if not words:
                continue
            for image in bundle.findall(nodes.image):
                image.setdefault("alt", words)


class RequireAltText(SphinxPostTransform):
    """Warn of each image that ends up on a page without words."""

    default_priority = 900
    formats = ("html",)

    def run(self) -> None:
        """Run on each document before it is written."""
        for image in self.document.findall(nodes.image):
            if not str(image.get("alt", "")).strip():
                LOGGER.warning(
                    "image without alternative text: %s",
                    image.get("uri", "?"),
                    location=image,
                    type="amdahl_book",
                    subtype="alt",
                )


def setup(app: Sphinx) -> None:
    """Register both steps."""
    app.add_transform(CopyAltText)
    app.add_post_transform(RequireAltText)
