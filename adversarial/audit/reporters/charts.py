"""Step curves with their intervals as inline SVG, in the colours of the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.audit.summary.survival import Step

_WIDTH, _HEIGHT = 520, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 22, 34, 48  # room for the numbers beside the axes
_MOST = 240  # steps that are drawn: one in two pixels
_SKEWED = 20  # where the largest value is so many times the median, the axis is logarithmic


def curve_svg(steps: Sequence[Step], *, across: str, up: str, title: str, name: str) -> Markup:
    """A step curve of shares from 0 to 1, with the intervals as a band and a mark at each number of given-up searches.

    Args:
        steps: the steps in order; the first is at 0.
        across: what the axis across shows.
        up: what the axis up shows.
        title: what screen readers say of it.
        name: an id that no other drawing of the page has.
    """
    last = max((step.at for step in steps), default=0.0) or 1.0
    middle = sorted(step.at for step in steps)[len(steps) // 2] if steps else 0.0
    logarithmic = middle > 0 and last > _SKEWED * middle
    drawn = _thinned(steps)

    def x(at: float) -> float:
        share = math.log1p(at / middle) / math.log1p(last / middle) if logarithmic else at / last
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(_TOP + (1 - value) * (_HEIGHT - _TOP - _BOTTOM), 1)

    head = (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{name}-title" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{name}-title">{escape(title)}</title>'
    )
    parts = [head, f'<text class="axis" x="{_LEFT}" y="18">{escape(up)}</text>']
    for tenth in (0, 25, 50, 75, 100):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tenth / 100)}" y2="{y(tenth / 100)}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y(tenth / 100) + 5}" text-anchor="end">{tenth}%</text>')
    parts += [
        f'<text class="tick" x="{x(at)}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{_number(at)}</text>'
        for at in _ticks(last, middle if logarithmic else None)
    ]
    note = ", logarithmic" if logarithmic else ""
    parts.append(
        f'<text class="axis" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">'
        f"{escape(across)}{note}</text>"
    )
    band = [(step.at, step.low, step.high) for step in drawn if step.low is not None and step.high is not None]
    if band:
        upper = _stairs([(x(at), y(high)) for at, _, high in band], x(last))
        lower = _stairs([(x(at), y(low)) for at, low, _ in band], x(last))
        parts.append(f'<polygon class="band" points="{_points([*upper, *reversed(lower)])}"/>')
    if drawn:
        parts.append(f'<polyline class="curve" points="{_points(_stairs([(x(s.at), y(s.value)) for s in drawn], x(last)))}"/>')
    parts += [
        f'<line class="censored" x1="{x(step.at)}" x2="{x(step.at)}" y1="{y(step.value) - 6}" y2="{y(step.value) + 6}"/>'
        for step in steps
        if step.censored
    ][:_MOST]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - what is not our own is escaped


def _thinned(steps: Sequence[Step]) -> list[Step]:
    if len(steps) <= _MOST:
        return list(steps)
    return [steps[round(place * (len(steps) - 1) / (_MOST - 1))] for place in range(_MOST)]


def _stairs(corners: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    found = [corners[0]]
    for across, up in corners[1:]:
        found += [(across, found[-1][1]), (across, up)]
    return [*found, (end, found[-1][1])]


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:g},{up:g}" for across, up in corners)


def _ticks(last: float, middle: float | None) -> list[float]:
    if middle is not None:
        powers = [10.0**power for power in range(-4, 8)]
        return [0.0, *(power for power in powers if middle / 4 <= power <= last)]
    rough = last / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
    return [step * place for place in range(int(last / step) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
