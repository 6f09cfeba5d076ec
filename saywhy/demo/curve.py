"""The attack's progress as a drawing: best distance so far against queries."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 440, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 34, 10, 24


def curve_svg(trace: Sequence[tuple[int, float]], *, budget: int, spent: int, title: str) -> str:
    """A step curve as SVG that takes its colours from the page.

    Args:
        trace: (queries asked, best distance from then on), in order; infinite while nothing is found.
        budget: the right end of the axis.
        spent: queries asked in all, where the curve ends.
        title: what is told to those who can't see it.
    """
    found = [(queries, distance) for queries, distance in trace if math.isfinite(distance)]
    top = max((distance for _, distance in found), default=2.0)
    unit = 2 if top <= 20 else 20  # so that the middle of the axis is a whole number too
    top = float(max(1, math.ceil(top / unit)) * unit)
    inner, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(queries: float) -> float:
        return round(_LEFT + inner * queries / budget, 1)

    def y(distance: float) -> float:
        return round(_TOP + tall * (1 - distance / top), 1)

    marks = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">']
    marks.extend(
        f'<line class="axis" x1="{_LEFT}" x2="{_LEFT + inner}" y1="{y(distance)}" y2="{y(distance)}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y(distance) + 4}" text-anchor="end">{distance:g}</text>'
        for distance in (0, top / 2, top)
    )
    marks.extend(
        f'<text class="tick" x="{x(share * budget)}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{share * budget:,.0f}</text>'
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    if found:
        steps = [f"M{x(found[0][0])},{y(found[0][1])}"]
        for queries, distance in found[1:]:
            steps.append(f"H{x(queries)}V{y(distance)}")
        steps.append(f"H{x(spent)}")
        path = "".join(steps)
        last = found[-1][1]
        marks.append(f'<path class="area" d="{path}V{y(0)}H{x(found[0][0])}Z"/><path class="curve" d="{path}"/>')
        marks.append(
            f'<circle class="end" cx="{x(spent)}" cy="{y(last)}" r="3.6"/>'
            f'<text class="end-label" x="{x(spent) + 8}" y="{y(last) + 4}" font-size="13">{last:g}</text>'
        )
    return "".join([*marks, "</svg>"])
