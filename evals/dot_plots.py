"""Dot plots with intervals, as small SVG pictures that need nothing from outside."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WIDTH, _LEFT, _RIGHT, _ROW = 440, 12, 428, 38  # the name of a row stands above its interval, so that phones show both
_FILE, _LINE = 460, 60  # width of a file, and characters of a line of its warning
_MOST_WIDTHS = 3  # usual widths that an interval may reach to each side
_LONGEST = 34  # characters of a name beside its numbers


@dataclass(frozen=True)
class Dot:
    """A row of a plot: an estimate and its interval. `low` and `high` are None where there is no interval."""

    name: str
    value: float
    low: float | None
    high: float | None
    said: str


def dot_plot(
    title: str,
    dots: Sequence[Dot],
    spell: Callable[[float], str],
    *,
    unit: str = "",
    zero: float | None = None,
    bounds: tuple[float, float] | None = None,
    margins: tuple[float, float] | None = None,
) -> str:
    """A plot with one row per estimate.

    Args:
        title: for those who hear it.
        dots: the estimates.
        spell: how ticks are written.
        unit: what the axis counts.
        zero: a value with a line over all rows, such as no difference.
        bounds: the ends of the axis, such as 1 and 7; by default what the intervals need.
        margins: a shaded range, such as what counts as the same.
    """
    ends = [end for dot in dots for end in _ends(dot, _usual(dots))]
    ends += [] if zero is None else [zero]
    ends += list(margins or ())
    ticks = _ticks(*(bounds or (min(ends), max(ends))), bounds=bounds)
    start, stop = ticks[0], ticks[-1]
    base = 10 + _ROW * len(dots)
    height = base + 40

    def across(value: float) -> float:
        share = (min(max(value, start), stop) - start) / ((stop - start) or 1)
        return _LEFT + 8 + share * (_RIGHT - _LEFT - 16)

    parts = [f"<title>{escape(title)}</title>"]
    if margins:
        parts.append(
            f'<rect x="{across(margins[0]):.1f}" y="4" width="{across(margins[1]) - across(margins[0]):.1f}" '
            f'height="{base - 4}" fill="currentColor" opacity="0.1"/>'
        )
    for tick in ticks:
        x = across(tick)
        parts.append(
            f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{base}" stroke="currentColor" opacity="0.15"/>'
            f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle" fill="currentColor" opacity="0.8">'
            f"{escape(spell(tick))}</text>"
        )
    if zero is not None:
        x = across(zero)
        parts.append(f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{base}" stroke="currentColor" stroke-dasharray="4 3"/>')
    for number, dot in enumerate(dots):
        parts.append(_row(dot, 10 + _ROW * number, across))
    parts.append(
        f'<text x="{(_LEFT + _RIGHT) / 2:g}" y="{base + 34}" text-anchor="middle" fill="currentColor">{escape(unit)}</text>'
    )
    spoken = "; ".join(f"{dot.name} {dot.said}" for dot in dots)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}: {escape(spoken)}" font-family="system-ui, sans-serif" font-size="13">'
        + "".join(parts)
        + "</svg>"
    )


def _usual(dots: Sequence[Dot]) -> float:
    """The width of an interval in the middle of all widths; infinite where there is none."""
    widths = [dot.high - dot.low for dot in dots if dot.low is not None and dot.high is not None]
    return median(widths) if widths else float("inf")


def _ends(dot: Dot, usual: float) -> list[float]:
    """What the axis has to hold of a row; an interval that is many times as wide as others would hide them, and is cut."""
    if dot.low is None or dot.high is None:
        return [dot.value]
    reach = _MOST_WIDTHS * usual
    return [dot.value, max(dot.low, dot.value - reach), min(dot.high, dot.value + reach)] if usual > 0 else [dot.value]


def stacked(title: str, plots: Sequence[tuple[str, str]], warning: str) -> str:
    """Pictures below each other as one SVG file, each with its heading, below a warning where there is one."""
    parts: list[str] = []
    top = 0
    for line in wrap(warning, _LINE):
        parts.append(f'<text x="12" y="{top + 18}" fill="#b00020">{escape(line)}</text>')
        top += 18
    for heading, plot in plots:
        height = ceil(float(plot.split('height="', 1)[1].split('"', 1)[0]))
        parts.append(f'<text x="12" y="{top + 20}" font-weight="bold">{escape(heading)}</text>')
        parts.append(f'<svg y="{top + 26}" ' + plot.removeprefix("<svg "))
        top += height + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_FILE} {top}" width="{_FILE}" height="{top}" color="#222" '
        f'font-family="system-ui, sans-serif" font-size="13"><title>{escape(title)}</title>'
        f'<rect width="{_FILE}" height="{top}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _row(dot: Dot, top: float, across: Callable[[float], float]) -> str:
    y = top + 24
    name = dot.name if len(dot.name) <= _LONGEST else dot.name[: _LONGEST - 1] + "…"
    bar = ""
    if dot.low is not None and dot.high is not None:
        low, high = across(dot.low), across(dot.high)
        path = f"M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 4}v8M{high:.1f} {y - 4}v8"
        bar = f'<path d="{path}" stroke="currentColor" stroke-width="2"/>'
    return (
        f'<text x="{_LEFT}" y="{top + 12}" fill="currentColor">{escape(name)}</text>'
        f'<text x="{_RIGHT}" y="{top + 12}" text-anchor="end" fill="currentColor">{escape(dot.said)}</text>'
        f'{bar}<circle cx="{across(dot.value):.1f}" cy="{y}" r="5" fill="#0b62a4"/>'
    )


def _ticks(low: float, high: float, *, bounds: tuple[float, float] | None) -> list[float]:
    """Three to eight round numbers that span the axis."""
    if high <= low:
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)
    raw = (high - low) / 5
    size = 10.0 ** floor(log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.999)
    if bounds is not None and (high - low) % 1 == 0 and high - low <= 10:
        step = 1.0
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]
