"""Draw the progress of an attack: the best distance so far against the number of queries."""

from __future__ import annotations

import io
import math
import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = (6.1, 2.1)  # inches, at 72 points each; the page stretches the drawing to the width of its card
_MARGINS = {
    "left": 0.07,
    "right": 0.92,
    "top": 0.93,
    "bottom": 0.16,
}  # shares of the drawing, with room for the ticks and the end label
# matplotlib writes colours as numbers, but the page has variables for light and dark mode: they replace the numbers
_COLOURS = {"line": "#010101", "soft": "#020202", "for": "#030303", "for-wash": "#040404", "ink": "#050505"}
_KEPT = ("curve", "area", "axis", "end", "end-label")  # parts of the drawing that tests and styles find by class


def curve_svg(trace: Sequence[tuple[int, float]], *, budget: int, spent: int, title: str) -> str:
    """A step curve as inline SVG that takes its colours from the page.

    Args:
        trace: pairs of (queries so far, best distance from then on), in order; the distance is infinite until one is found.
        budget: the number of queries at the right end of the axis.
        spent: the number of queries in all, where the curve ends.
        title: the text for screen readers.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    found = [(queries, distance) for queries, distance in trace if math.isfinite(distance)]
    top = max((distance for _, distance in found), default=2.0)
    unit = 2 if top <= 20 else 20  # so that the middle of the axis is a whole number too
    top = float(max(1, math.ceil(top / unit)) * unit)
    stream = io.StringIO()
    with rc_context({"svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=_SIZE)
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        figure.subplots_adjust(**_MARGINS)
        _set_scales(axes, budget, top)
        if found:
            _draw_steps(axes, found, spent)
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _inlined(stream.getvalue(), title)


def _set_scales(axes: Any, budget: int, top: float) -> None:
    axes.set(xlim=(0, budget), ylim=(0, top))
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    for height in (0, top / 2, top):
        axes.plot([0, budget], [height, height], color=_COLOURS["line"], linewidth=1, clip_on=False, gid="axis")
    axes.set_yticks([0, top / 2, top], [f"{height:g}" for height in (0, top / 2, top)])
    axes.set_xticks([0, budget / 2, budget], [f"{share * budget:,.0f}" for share in (0, 0.5, 1)])
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)
    axes.tick_params(bottom=False, left=False, labelcolor=_COLOURS["soft"])


def _draw_steps(axes: Any, found: Sequence[tuple[int, float]], spent: int) -> None:
    from matplotlib.patches import Ellipse
    from matplotlib.transforms import ScaledTranslation

    last = found[-1][1]
    corners: list[tuple[float, float]] = [found[0]]
    for queries, distance in found[1:]:
        corners += [(queries, corners[-1][1]), (queries, distance)]
    corners.append((spent, last))
    across, heights = zip(*corners, strict=True)
    below = ([*across, spent, across[0]], [*heights, 0, 0])
    axes.fill(*below, color=_COLOURS["for-wash"], linewidth=0, clip_on=False, gid="area")
    axes.plot(across, heights, color=_COLOURS["for"], linewidth=2.2, clip_on=False, gid="curve")
    # a dot of fixed size. A marker would need an id in the SVG, and ids must not repeat on one page
    place = axes.figure.dpi_scale_trans + ScaledTranslation(spent, last, axes.transData)
    dot = Ellipse((0, 0), 0.1, 0.1, transform=place, color=_COLOURS["for"], clip_on=False, gid="end")
    axes.add_artist(dot)
    axes.annotate(
        f"{last:g}",
        (spent, last),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=_COLOURS["ink"],
        fontsize=12,
        fontweight="bold",
        annotation_clip=False,
        gid="end-label",
    )


def _inlined(svg: str, title: str) -> str:
    """The drawing for use inside an HTML page: without namespaces and ids, and with the colours and the font of the page."""
    body = svg[svg.index("<svg") :]
    view = re.search(r'viewBox="([^"]*)"', body)
    body = body[body.index(">") + 1 : body.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<defs>.*?</defs>|<!--.*?-->", "", body, flags=re.DOTALL)
    kept = "|".join(map(re.escape, _KEPT))
    body = re.sub(rf' id="({kept})"', r' class="\1"', body)
    body = re.sub(r' (?:id|clip-path)="[^"]*"', "", body)
    body = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", body)
    for name, number in _COLOURS.items():
        body = body.replace(number, f"var(--{name})")
    box = view[1] if view else "0 0 439 151"
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(title, quote=True)}">{" ".join(body.split())}</svg>'
