"""Drawings on an axes that the caller gives; nothing is computed or measured here.

Every function returns the alternative text of what it drew: the shape and the finding, in words.
One colour means one thing in the whole book; `COLOURS` says what. A module holds the figures of
one subject.
"""

from amdahl_lab.figures.acceleration import allowed, designs, on_a_scale, over_size, promised
from amdahl_lab.figures.bottlenecks import (
    message_times,
    over_prediction,
    plain_logarithm,
    roofline,
    spread,
)
from amdahl_lab.figures.case_studies import (
    chosen_batches,
    collapse,
    guesses,
    losses,
    ranges,
    ridge,
    samples,
)
from amdahl_lab.figures.comparisons import arrivals, limits, wrong_and_right
from amdahl_lab.figures.demands import effects, growth, point, rates, shares, tails
from amdahl_lab.figures.estimates import intervals, stacked_times
from amdahl_lab.figures.growing import batch_curve, fan, futures, goodputs, plans
from amdahl_lab.figures.speedups import fitted, laws, measured, speedup_axes
from amdahl_lab.figures.style import COLOURS, CURVES, LAWS, STYLE, Picture, canvas
from amdahl_lab.figures.timelines import KINDS, Pass, held, passes, passes_of

__all__ = [
    "COLOURS",
    "CURVES",
    "KINDS",
    "LAWS",
    "STYLE",
    "Pass",
    "Picture",
    "allowed",
    "arrivals",
    "batch_curve",
    "canvas",
    "chosen_batches",
    "collapse",
    "designs",
    "effects",
    "fan",
    "fitted",
    "futures",
    "goodputs",
    "growth",
    "guesses",
    "held",
    "intervals",
    "laws",
    "limits",
    "losses",
    "measured",
    "message_times",
    "on_a_scale",
    "over_prediction",
    "over_size",
    "passes",
    "passes_of",
    "plain_logarithm",
    "plans",
    "point",
    "promised",
    "ranges",
    "rates",
    "ridge",
    "roofline",
    "samples",
    "shares",
    "speedup_axes",
    "spread",
    "stacked_times",
    "tails",
    "wrong_and_right",
]
