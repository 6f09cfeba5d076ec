"""Plots of a comparison as SVG: mean ranks with intervals, and squares coloured by a number."""

from __future__ import annotations

from html import escape
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from evals.dot_plots import Dot, dot_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.faithfulness.comparing.agreement import Agreement
    from evals.faithfulness.comparing.ranking import Ranking
    from verbalize.saliency import Floats

_CELL, _EDGE, _LETTER = 46, 16, 7.2  # points; few letters of 12 points are wider than 7.2
_SLANT = 0.71  # of the length of a name that stands at 45 degrees: its height and its width
_DARK = 0.6  # share of the range from which white letters are easier to read
_LONGEST = 32  # characters of a name beside the squares


def rank_plot(ranking: Ranking) -> str:
    """Mean ranks of the methods with their intervals, best first."""
    order = np.argsort(ranking.means, kind="stable")
    dots = [
        Dot(
            ranking.methods[one],
            float(ranking.means[one]),
            None if np.isnan(ranking.low[one]) else float(ranking.low[one]),
            None if np.isnan(ranking.high[one]) else float(ranking.high[one]),
            f"{ranking.means[one]:.2f}",
        )
        for one in order
        if np.isfinite(ranking.means[one])
    ]
    return dot_plot("Mean ranks of the methods", dots, lambda tick: f"{tick:g}", unit="mean rank (1 is best)") if dots else ""


def correlations(found: Agreement) -> str:
    """Rank correlations of the maps of any two methods."""
    title = "Rank correlation of the maps of two methods"
    return squares(title, found.correlation, found.methods, found.methods, low=-1, high=1)


def squares(title: str, values: Floats, rows: Sequence[str], columns: Sequence[str], *, low: float, high: float) -> str:
    """A grid of squares, coloured from `low` (light) to `high` (dark), with the numbers in them; a dash stands for NaN."""
    left = ceil(_EDGE + _LETTER * max(len(_short(name)) for name in rows))
    slanted = _EDGE + _SLANT * _LETTER * max(len(_short(name)) for name in columns)
    top = ceil(slanted)
    width, height = left + _CELL * len(columns) + ceil(max(slanted - _CELL / 2, 8)), top + _CELL * len(rows) + 8
    parts = [f"<title>{escape(title)}</title>"]
    for index, name in enumerate(columns):
        x = left + _CELL * (index + 0.55)
        parts.append(
            f'<text transform="translate({x:.1f} {top - 8}) rotate(-45)" fill="currentColor">{escape(_short(name))}</text>'
        )
    for index, name in enumerate(rows):
        y = top + _CELL * (index + 0.55)
        parts.append(f'<text x="{left - 8}" y="{y:.1f}" text-anchor="end" fill="currentColor">{escape(_short(name))}</text>')
        parts += [_square(left + _CELL * place, top + _CELL * index, float(value), low, high)
                  for place, value in enumerate(values[index])]  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _square(x: float, y: float, value: float, low: float, high: float) -> str:
    middle = f'x="{x + _CELL / 2:.1f}" y="{y + 0.55 * _CELL:.1f}" text-anchor="middle"'
    box = f'<rect x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" height="{_CELL - 2}" rx="3"'
    if np.isnan(value):
        line = 'fill="none" stroke="currentColor" stroke-opacity="0.25"/>'
        return f'{box} {line}<text {middle} fill="currentColor">–</text>'
    share = min(max((value - low) / ((high - low) or 1.0), 0.0), 1.0)
    colour = "#fff" if share > _DARK else "currentColor"
    return f'{box} fill="#0b62a4" fill-opacity="{0.06 + 0.84 * share:.2f}"/><text {middle} fill="{colour}">{value:.2f}</text>'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
