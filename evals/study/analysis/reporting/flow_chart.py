"""The flow chart of counts as SVG, in the form of CONSORT: who goes on stands below, who leaves stands at the right."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evals.study.analysis.exclusions import Flow

_WIDTH, _KEPT, _OUT, _HEIGHT, _GAP = 460, 190, 225, 44, 18  # points: two columns fit a phone without scrolling
_LONGEST = 32  # characters of a line in the right column


def flow_chart(flow: Flow) -> str:
    """The chart as one SVG element; it needs nothing from outside."""
    boxes: list[str] = []
    top = 4
    previous: int | None = None
    for one in flow.stages:
        if one.kept:
            if previous is not None:
                boxes.append(_line(_KEPT / 2 + 4, previous, _KEPT / 2 + 4, top, arrow=True))
            boxes.append(_box(4, top, _KEPT, [one.name, f"n = {one.participants:,}"]))
            top += _HEIGHT
            previous = top
            top += _GAP
        else:
            lines = [*_wrapped(one.name), f"n = {one.participants:,}"]
            height = 12 + 16 * len(lines)
            middle = top + height / 2
            boxes.append(_line(_KEPT / 2 + 4, middle, _WIDTH - _OUT - 4, middle, arrow=True))
            boxes.append(_box(_WIDTH - _OUT - 4, top, _OUT, lines))
            top += height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}" role="img" '
        f'aria-label="{escape(_spoken(flow))}" font-family="system-ui, sans-serif" font-size="13">'
        '<defs><marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>' + "".join(boxes) + "</svg>"
    )


def _spoken(flow: Flow) -> str:
    return "Flow of " + flow.noun + ": " + "; ".join(f"{one.name} {one.participants}" for one in flow.stages)


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= _LONGEST:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _box(left: float, top: float, width: float, lines: list[str]) -> str:
    height = _HEIGHT if len(lines) == 2 else 12 + 16 * len(lines)
    texts = "".join(
        f'<text x="{left + width / 2:g}" y="{top + 18 + 16 * n:g}" text-anchor="middle" fill="currentColor">'
        f"{escape(line)}</text>"
        for n, line in enumerate(lines)
    )
    frame = f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4" fill="none" stroke="currentColor"/>'
    return frame + texts


def _line(x1: float, y1: float, x2: float, y2: float, *, arrow: bool) -> str:
    end = ' marker-end="url(#flow-arrow)"' if arrow else ""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="currentColor"{end}/>'
