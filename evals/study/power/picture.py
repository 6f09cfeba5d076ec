"""The power curve as a picture."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.power.curve import PowerCurve

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, which most people tell apart who see few colours."""
MARKERS = "osD^vP"


def draw_power(curves: Sequence[PowerCurve], target: float = 0.8) -> str:
    """Power against the number of participants, as SVG. Bars are what the number of simulations leaves open.

    Args:
        curves: one or several, such as for several effects.
        target: where a line marks the wanted power.

    Raises:
        UsageError: there is no curve, or there are more than six.
    """
    if not 1 <= len(curves) <= len(COLOURS):
        raise UsageError(f"a picture shows 1 to {len(COLOURS)} curves, not {len(curves)}")
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    stream = StringIO()
    with mpl.rc_context({"svg.hashsalt": "saywhy", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for curve, colour, marker in zip(curves, COLOURS, MARKERS, strict=False):
            at = [one.participants for one in curve.points]
            values = [one.power for one in curve.points]
            reach = [[one.power - one.low for one in curve.points], [one.high - one.power for one in curve.points]]
            said = f"{curve.effect:+g}" if curve.margin is None else f"{curve.effect:+g} within {curve.margin:g}"
            label = f"{curve.task}: {curve.condition} against {curve.reference}, {said}".replace("$", r"\$")
            axes.errorbar(at, values, yerr=reach, color=colour, marker=marker, markersize=4, capsize=2, label=label)
        axes.axhline(target, color="#777777", linestyle="--", linewidth=1)
        axes.text(
            0.995, target + 0.01, f"{target:g}", transform=axes.get_yaxis_transform(), ha="right", va="bottom", color="#555555"
        )
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("participants who are analysed")
        axes.set_ylabel("power")
        axes.legend(loc="lower right", fontsize=8, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
