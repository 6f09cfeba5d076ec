"""Which plots an analysis has: one per table that people compare by eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.dot_plots import Dot, dot_plot
from evals.study.analysis.numbers import percent, seconds, two_places
from evals.study.analysis.reporting.layout import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evals.study.analysis.nouns import Analysis, Value

_ESTIMATES = {"accuracy": "mean", "ratings": "mean", "times": "mean", "preferences": "share", "trust": "said_right"}
_SPELL: Mapping[str, tuple[Callable[[Value], str], str]] = {
    "accuracy": (percent, "% right"),
    "ratings": (two_places, "mean rating"),
    "times": (seconds, "seconds (geometric mean)"),
    "preferences": (percent, "% preferred"),
    "trust": (percent, "% said that the model is right"),
}
_MOST_DOTS = 30  # rows of a plot that can still be looked at


def plots_of(analysis: Analysis) -> dict[str, str]:
    """SVG pictures by the name of the table that they show, such as "accuracy:simulation"."""
    plots: dict[str, str] = {}
    for name in _ESTIMATES:
        for one in shown(analysis, name):
            picture = _estimates(analysis, name, one.name.partition(":")[2], one.title)
            if picture:
                plots[one.name] = picture
    for one in shown(analysis, "differences"):
        picture = _differences(analysis, one.name.partition(":")[2], one.title)
        if picture:
            plots[one.name] = picture
    return plots


def _estimates(analysis: Analysis, name: str, measure: str, title: str) -> str:
    spell, unit = _SPELL[name]
    rows = [row for row in analysis.tables[name].rows if row["measure"] == measure and row[_ESTIMATES[name]] is not None]
    if not 0 < len(rows) <= _MOST_DOTS:
        return ""
    dots = [_dot(_named(row, name), row, _ESTIMATES[name], spell) for row in rows]
    chance = analysis.settings.get("chance", {}).get(measure) if name == "accuracy" else None
    zero = 0.5 if name == "preferences" else chance
    ends = analysis.settings.get("points", {}).get(measure) if name == "ratings" else None
    if zero is not None and name == "accuracy":
        unit += f"; dashed: guessing, {percent(zero)}"
    return dot_plot(title, dots, _tick(spell), unit=unit, zero=zero, bounds=tuple(ends) if ends else None)


def _named(row: Mapping[str, Value], name: str) -> str:
    if name == "preferences":
        return f"{row['condition']} over {row['reference']}"
    return f"{row['condition']}, model {row['model']}" if name == "trust" else str(row["condition"])


def _differences(analysis: Analysis, measure: str, title: str) -> str:
    rows = [row for row in analysis.tables["differences"].rows if row["measure"] == measure and row["difference"] is not None]
    if not 0 < len(rows) <= _MOST_DOTS:
        return ""
    spell, unit, zero = {
        "points": (percent, "percentage points", 0.0),
        "ratio": (seconds, "ratio of geometric means", 1.0),
    }.get(str(rows[0]["unit"]), (two_places, "points of the rating", 0.0))
    dots = [_dot(f"{row['condition']} − {row['reference']}", row, "difference", spell) for row in rows]
    if rows[0]["unit"] == "ratio":
        dots = [Dot(dot.name.replace(" − ", " / "), dot.value, dot.low, dot.high, dot.said) for dot in dots]
    margin = analysis.settings.get("margins", {}).get(measure)
    return dot_plot(title, dots, _tick(spell), unit=unit, zero=zero, margins=(-margin, margin) if margin else None)


def _tick(spell: Callable[[Value], str]) -> Callable[[Value], str]:
    """Ticks are round: no places behind the point that only hold noughts."""

    def said(value: Value) -> str:
        text = spell(value)
        return text.rstrip("0").rstrip(".") if "." in text else text

    return said


def _dot(name: str, row: Mapping[str, Value], column: str, spell: Callable[[Value], str]) -> Dot:
    value, low, high = (row[key] for key in (column, "low", "high"))
    interval = "" if low is None or high is None else f" [{spell(low)}, {spell(high)}]"
    return Dot(
        name,
        _float(value),
        None if low is None else _float(low),
        None if high is None else _float(high),
        spell(value) + interval,
    )


def _float(value: Value) -> float:
    assert isinstance(value, (int, float))
    return float(value)
