"""A generated click log whose structure is known, so that the best possible prediction is too.

Each line is an advertisement that was shown: whether it was clicked, some counts, and one token for
each kind of category, whole numbers with tabs between them. A click's logarithmic odds
are linear in the logarithms of the counts; each category adds its own liking, and each pair of
categories the product of their tastes. Categories are as frequent as words are (Zipf's law).
"""

import functools
from dataclasses import dataclass

import numpy as np

COUNTS = 6
CATEGORIES = (65_536, 8_192, 1_024, 256, 32, 8)  # powers of two: see `_token`
LINES, HELD_OUT = 80_000, 10_000
ZIPF_EXPONENT = 1.05
TASTES = 4
INTERCEPT = -1.5  # about one line in four is clicked
_SEED = 1967


@dataclass(frozen=True)
class ClickLog:
    """Lines of text, and what generated them.

    Parameters
    ----------
    text : str
        All lines; each ends with a newline.
    starts : ndarray of int64, shape (lines + 1,)
        Where each line begins in `text`; the last is its length.
    chances : ndarray, shape (lines,)
        True probability of the click of each line.
    """

    text: str
    starts: np.ndarray
    chances: np.ndarray

    def __len__(self) -> int:
        return len(self.chances)

    def parsed(self, lines: np.ndarray) -> np.ndarray:
        """Read the numbers of some lines.

        Parameters
        ----------
        lines : ndarray of int
            Numbers of the lines.

        Returns
        -------
        ndarray of int64, shape (len(lines), 1 + COUNTS + len(CATEGORIES))
            Click, counts and tokens.
        """
        begins, ends = self.starts[lines].tolist(), self.starts[lines + 1].tolist()
        chosen = [self.text[begin:end] for begin, end in zip(begins, ends, strict=True)]
        numbers = np.fromstring("".join(chosen), dtype=np.int64, sep=" ")  # any white space
        return numbers.reshape(len(chosen), 1 + COUNTS + len(CATEGORIES))


@functools.cache
def click_log() -> ClickLog:
    """Generate the log, always the same one; its last `HELD_OUT` lines are not to train on."""
    rng = np.random.default_rng(_SEED)
    counts = np.floor(np.exp(rng.normal(1.5, 1.0, (LINES, COUNTS)))).astype(np.int64)
    chosen = [_zipf(each, LINES, rng) for each in CATEGORIES]
    chances = 1 / (1 + np.exp(-_log_odds(counts, chosen, rng)))
    clicks = rng.random(LINES) < chances
    columns = [clicks.astype(int), *counts.T, *map(_token, chosen)]
    fields = [map(str, column.tolist()) for column in columns]
    lines = ["\t".join(line) + "\n" for line in zip(*fields, strict=True)]
    starts = np.cumsum([0, *map(len, lines)])
    return ClickLog("".join(lines), starts, chances)


def entropy(chances: np.ndarray, predicted: np.ndarray) -> float:
    """Return the expected log loss of predicted chances, in nats, where the true ones are known."""
    return -float(np.mean(chances * np.log(predicted) + (1 - chances) * np.log1p(-predicted)))


def _log_odds(counts: np.ndarray, chosen: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    logs = np.log1p(counts)
    odds = INTERCEPT + (logs - logs.mean(0)) @ rng.normal(0, 0.6, COUNTS)
    together, squares = 0.0, 0.0
    for categories, column in zip(CATEGORIES, chosen, strict=True):
        odds = odds + rng.normal(0, 0.6, categories)[column]
        tastes = rng.normal(0, 0.35, (categories, TASTES))[column]
        together, squares = together + tastes, squares + (tastes**2).sum(1)
    return odds + ((together**2).sum(1) - squares) / 2  # the sum over all pairs


def _zipf(categories: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    weights = np.arange(1, categories + 1) ** -ZIPF_EXPONENT
    return np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(draws)).clip(
        max=categories - 1
    )


def _token(categories: np.ndarray) -> np.ndarray:
    """Scramble categories as a hash does, but so that the low bits of two never meet.

    The multiplier is odd, so that modulo any power of two it only permutes.
    """
    return categories * 2_654_435_761 % 2**32
