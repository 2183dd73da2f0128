"""One page about a class: how the totals lie, which items are hard, which mistakes recur."""

import html
import statistics
from collections import Counter
from collections.abc import Sequence

from amdahl_lab.grading.items import NOT_WRITTEN, Item
from amdahl_lab.grading.tables import Result

_ROWS = 8  # of a list: all of it has to fit on one page
_STYLE = """
:root { color-scheme: light dark; --bar: #0072b2; --line: #8886; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
th.n, td.n { text-align: right; white-space: nowrap; }
td.bar { width: 30%; } td.bar div { background: var(--bar); height: .7em; margin-top: .45em; }
svg { width: 100%; height: auto; max-width: 44rem; }
svg text { fill: currentColor; font-size: 13px; }
rect { fill: var(--bar); } line { stroke: currentColor; }
p.quiet { opacity: .8; }
@media print { body { margin: 0; font-size: 12px; } }
"""


def class_page(results: Sequence[Result], items: Sequence[Item], title: str) -> str:
    """Write the summary of a class as one HTML page that loads nothing.

    Parameters
    ----------
    results : sequence of Result
        One for each student.
    items : sequence of Item
        All items of the assignment.
    title : str
        Name of the assignment.

    Returns
    -------
    str
    """
    marked = [one for one in results if one.total is not None]
    most = sum(item.points for item in items)
    parts = [f"<h1>{html.escape(title)}</h1>", _first_lines(results, marked, most)]
    if marked:
        totals = [one.total for one in marked]
        parts += ["<h2>How the totals lie</h2>", _histogram(totals, most)]
        parts += ["<h2>Hardest items</h2>", _items(marked, items)]
        parts += ["<h2>Wrong answers that recur</h2>", _hints(marked, items)]
    remarks = [one for one in results if one.remark]
    if remarks:
        parts += ["<h2>What needs a person</h2>", _remarks(remarks)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{html.escape(title)}: the class</title><style>{_STYLE}</style></head>\n"
        "<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _first_lines(results: Sequence[Result], marked: Sequence[Result], most: float) -> str:
    late = sum(one.sender.late for one in results)
    words = [f"{len(results)} handed in, {len(marked)} marked, {late} late."]
    if marked:
        totals = [one.total for one in marked]
        words.append(
            f"Median {statistics.median(totals):g} of {most:g}, "
            f"from {min(totals):g} to {max(totals):g}."
        )
    changed = sum(bool(one.by_hand) for one in marked)
    if changed:
        words.append(f"{changed} changed by hand in the gradebook; the items below are as marked.")
    return f"<p>{' '.join(words)}</p>"


def counted(totals: Sequence[float], most: float) -> list[tuple[str, int]]:
    """Number of totals in each of ten bands from zero to the most there is, or one per point.

    Examples
    --------
    >>> counted([0, 1.5, 4], 4)
    [('0', 1), ('1', 1), ('2', 0), ('3', 0), ('4', 1)]
    """
    width = max(1, round(most / 10))
    bands = [0] * (int(most // width) + 1)
    for total in totals:
        bands[min(int(total // width), len(bands) - 1)] += 1
    names = []
    for number in range(len(bands)):
        low, high = number * width, min((number + 1) * width - 1, int(most))
        names.append(f"{low}" if low >= high else f"{low}-{high}")
    return list(zip(names, bands, strict=True))


def _histogram(totals: Sequence[float], most: float) -> str:
    bands = counted(totals, most)
    tallest, step, height = max(number for _, number in bands), 44, 140
    wide = step * len(bands)
    told = ", ".join(f"{name} points: {number}" for name, number in bands if number)
    drawn = [f'<line x1="0" x2="{wide}" y1="{height + 20}" y2="{height + 20}"/>']
    for place, (name, number) in enumerate(bands):
        middle, tall = place * step + step / 2, height * number / tallest
        top = height + 20 - tall
        drawn.append(
            f'<rect x="{place * step + 4}" y="{top:.1f}" width="{step - 8}" height="{tall:.1f}"/>'
            f'<text x="{middle}" y="{height + 36}" text-anchor="middle">{name}</text>'
        )
        if number:
            drawn.append(
                f'<text x="{middle}" y="{top - 5:.1f}" text-anchor="middle">{number}</text>'
            )
    label = f"Students by total: {told}"
    return (
        f'<svg viewBox="0 0 {wide} {height + 56}" role="img" aria-label="{label}">'
        + "".join(drawn)
        + f'<text x="{wide / 2}" y="{height + 53}" text-anchor="middle">points</text></svg>'
    )


def _items(marked: Sequence[Result], items: Sequence[Item]) -> str:
    shares = [
        (sum(one.points.get(item.id, 0.0) for one in marked) / (len(marked) * item.points), item)
        for item in items
        if item.points
    ]
    rows = [
        f'<tr><td>{html.escape(item.title)}</td><td class="n">{share:.0%}</td>'
        f'<td class="bar"><div style="width: {share:.0%}"></div></td></tr>'
        for share, item in sorted(shares, key=lambda pair: pair[0])[:_ROWS]
    ]
    head = '<tr><th>Item</th><th class="n">Points won</th><th></th></tr>'
    return f"<table>{head}{''.join(rows)}</table>"


def _hints(marked: Sequence[Result], items: Sequence[Item]) -> str:
    titles = {item.id: item.title for item in items}
    found = Counter((item, hint) for one in marked for item, hint in one.hints.items())
    wrong = [pair for pair in found.most_common() if NOT_WRITTEN not in pair[0][1]]
    empty = sum(number for (_, hint), number in found.items() if NOT_WRITTEN in hint)
    shown = [
        f'<tr><td class="n">{number}</td><td>{html.escape(titles.get(item, item))}</td>'
        f"<td>{html.escape(hint)}</td></tr>"
        for (item, hint), number in wrong[:_ROWS]
    ]
    head = '<tr><th class="n">Students</th><th>Item</th><th>What they were told</th></tr>'
    table = f"<table>{head}{''.join(shown)}</table>" if shown else "<p>None.</p>"
    rest = f" {len(wrong) - _ROWS} rarer ones are not shown." if len(wrong) > _ROWS else ""
    return f'{table}<p class="quiet">Answers not written at all: {empty}.{rest}</p>'


def _remarks(results: Sequence[Result]) -> str:
    rows = [
        f"<tr><td>{html.escape(one.sender.name)}</td><td>{html.escape(one.remark)}</td></tr>"
        for one in results
    ]
    return f"<table><tr><th>Student</th><th>Remark</th></tr>{''.join(rows)}</table>"
