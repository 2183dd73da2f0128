"""A frozen snapshot of this book's own text, for a language model of characters to learn.

`training.txt` and `held_out.txt` hold different paragraphs of the same pages; `pages.csv` names
the pages, with their checksums at the time. The text has the licence of the pages, CC BY 4.0. An
edit of a page does not change it; ``make text`` takes it anew, and with it changes every recorded
number of the character model.
"""

from pathlib import Path

FOLDER = Path(__file__).parent


def book_text() -> tuple[str, str]:
    """Load the snapshot: the text to train on and the text held out, printable ASCII and newlines.

    Returns
    -------
    tuple of str
        Paragraphs to train on and, none of them among the first, paragraphs to test on.
    """
    training, held_out = (
        (FOLDER / name).read_bytes().decode("ascii") for name in ("training.txt", "held_out.txt")
    )
    return training, held_out
