"""The picture of the front page: what stays when the work is shared out.

    ```{hero-picture} 0.1
    ```

Bars of the time of one job on 1, 2, 4, ... workers. The serial part is a floor that no worker
lowers. Every height comes from `amdahl_lab.laws.amdahl_speedup`; colours come from the style sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WORKERS = (1, 2, 4, 8, 16, 32, 64)
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 30, 56
BAR_SHARE = 0.62


def hero_svg(serial_fraction: float) -> str:
    """Return the picture as SVG text.

    Parameters
    ----------
    serial_fraction : float, above 0 and at most 1
        Share of the time on one worker that can't be divided.
    """
    from amdahl_lab.laws import amdahl_limit, amdahl_speedup

    limit = float(amdahl_limit(serial_fraction))
    slot = (WIDTH - LEFT - RIGHT) / len(WORKERS)
    floor, full = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    serial = serial_fraction * full
    parts = []
    for place, workers in enumerate(WORKERS):
        speedup = float(amdahl_speedup(workers, serial_fraction))
        whole = full / speedup
        left = LEFT + slot * place + slot * (1 - BAR_SHARE) / 2
        middle = LEFT + slot * (place + 0.5)
        wide = slot * BAR_SHARE
        label = "×1" if workers == 1 else f"×{speedup:.1f}"
        parts.append(
            f'<g class="hero-bar" style="--place:{place}">'
            f'<rect class="hero-ghost" x="{left:.1f}" y="{floor - full:.1f}" width="{wide:.1f}" '
            f'height="{full:.1f}" rx="3"/>'
            f'<rect class="hero-divided" x="{left:.1f}" y="{floor - whole:.1f}" width="{wide:.1f}" '
            f'height="{whole - serial:.1f}"/>'
            f'<rect class="hero-serial" x="{left:.1f}" y="{floor - serial:.1f}" '
            f'width="{wide:.1f}" height="{serial:.1f}"/>'
            f'<text class="hero-speedup" x="{middle:.1f}" y="{floor - whole - 9:.1f}">'
            f"{label}</text>"
            f'<text class="hero-workers" x="{middle:.1f}" y="{floor + 22:.1f}">{workers}</text></g>'
        )
    at_two, at_most_workers = (
        float(amdahl_speedup(workers, serial_fraction)) for workers in (2, WORKERS[-1])
    )
    told = (
        f"Bars of the time that one job takes on 1, 2, 4, 8, 16, 32 and 64 workers when "
        f"{serial_fraction:.0%} of it can't be divided. The divided part shrinks, the rest does "
        f"not: 2 workers are {at_two:.1f} times as fast, 64 are {at_most_workers:.1f} times, and "
        f"no number reaches {limit:.0f}."
    )
    return (
        f'<svg class="hero-picture" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}'
        f'<line class="hero-floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor - serial:.1f}" '
        f'y2="{floor - serial:.1f}"/>'
        f'<text class="hero-axis" x="{WIDTH / 2}" y="{HEIGHT - 10}">workers</text></svg>'
    )


class HeroDirective(SphinxDirective):
    """The picture for a serial fraction, given as the argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture, inline, so that the style sheet reaches it."""
        return [nodes.raw("", hero_svg(float(self.arguments[0])), format="html")]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("hero-picture", HeroDirective)
