"""Plots of a comparison as SVG: mean ranks with intervals, and squares coloured by a number."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from evals.dot_plots import Dot, dot_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.faithfulness.comparing.agreement import Agreement
    from evals.faithfulness.comparing.ranking import Ranking
    from verbalize.saliency import Floats

_CELL, _LEFT, _TOP, _LETTER = 46, 190, 130, 6.6  # points; a letter of 12 points is about 6.6 wide
_LONGEST = 26  # characters of a name beside the squares


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
    """A grid of squares, coloured from `low` (light) to `high` (dark), with the numbers in them; NaN stays empty."""
    width, height = _LEFT + _CELL * len(columns) + 90, _TOP + _CELL * len(rows) + 8
    parts = [f"<title>{escape(title)}</title>"]
    for index, name in enumerate(columns):
        x = _LEFT + _CELL * (index + 0.55)
        parts.append(
            f'<text transform="translate({x:.1f} {_TOP - 8}) rotate(-45)" fill="currentColor">{escape(_short(name))}</text>'
        )
    for index, name in enumerate(rows):
        y = _TOP + _CELL * (index + 0.55)
        parts.append(f'<text x="{_LEFT - 8}" y="{y:.1f}" text-anchor="end" fill="currentColor">{escape(_short(name))}</text>')
        for place, value in enumerate(values[index]):
            if np.isnan(value):
                continue
            share = min(max((float(value) - low) / ((high - low) or 1.0), 0.0), 1.0)
            parts.append(
                f'<rect x="{_LEFT + _CELL * place + 1}" y="{_TOP + _CELL * index + 1}" width="{_CELL - 2}" '
                f'height="{_CELL - 2}" rx="3" fill="#0b62a4" fill-opacity="{0.06 + 0.84 * share:.2f}"/>'
                f'<text x="{_LEFT + _CELL * (place + 0.5):.1f}" y="{y:.1f}" text-anchor="middle" '
                f'fill="{"#fff" if share > 0.5 else "currentColor"}">{value:.2f}</text>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
