"""The tables as people read them: an estimate and its interval in one cell, names and units in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Name, Sentence
from evals.study.analysis.numbers import count, figure, p_cell, percent, plain, seconds, two_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evals.study.analysis.nouns import Analysis, Figure, Table, Value

    Spell = Callable[[Value], str]


@dataclass(frozen=True)
class Shown:
    """A table for people.

    Attributes:
        name: of the table that it shows, and the measure or group after ":" where it shows a part of it.
        title: what stands above.
        columns: headings.
        rows: cells; each is a sentence, so that its numbers keep their place in the CSV file.
        note: what stands below.
        texts: how many columns at the left hold texts; the others are numbers.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Sentence, ...], ...]
    note: str = ""
    texts: int = 1


@dataclass(frozen=True)
class _Column:
    heading: str
    name: str
    spell: Callable[[Mapping[str, Value]], Spell]
    low: str | None = None
    high: str | None = None


def _always(spell: Spell) -> Callable[[Mapping[str, Value]], Spell]:
    return lambda _row: spell


def _by_scale(row: Mapping[str, Value]) -> Spell:
    """As a row's own kind of measure wants it."""
    return {"percent": percent, "points": percent, "ratio": seconds, "seconds": seconds}.get(str(row.get("unit")), two_places)


def _text(heading: str, name: str) -> _Column:
    return _Column(heading, name, _always(lambda value: "–" if value is None else str(value)))


def _number(heading: str, name: str, spell: Spell, low: str | None = None, high: str | None = None) -> _Column:
    return _Column(heading, name, _always(spell), low, high)


_COUNTS = (_number("participants", "participants", count), _number("items", "items", count))
_COLUMNS: Mapping[str, tuple[_Column, ...]] = {
    "accuracy": (_text("condition", "condition"), _number("right, %", "mean", percent, "low", "high"), *_COUNTS),
    "ratings": (_text("condition", "condition"), _number("mean rating", "mean", two_places, "low", "high"), *_COUNTS),
    "times": (
        _text("condition", "condition"),
        _number("geometric mean, s", "mean", seconds, "low", "high"),
        _number("median, s", "median", seconds),
        *_COUNTS,
    ),
    "preferences": (
        _text("condition", "condition"),
        _text("over", "reference"),
        _number("preferred, %", "share", percent, "low", "high"),
        _number("p", "p", p_cell),
        _number("p (Holm)", "p_holm", p_cell),
        *_COUNTS,
    ),
    "trust": (
        _text("condition", "condition"),
        _text("the model is", "model"),
        _number("said to be right, %", "said_right", percent, "low", "high"),
        *_COUNTS,
    ),
    "differences": (
        _text("condition", "condition"),
        _text("compared with", "reference"),
        _Column("difference", "difference", _by_scale, "low", "high"),
        _number("p", "p", p_cell),
        _number("p (Holm)", "p_holm", p_cell),
        _number("effect size", "effect", two_places),
    ),
    "equivalence": (
        _text("condition", "condition"),
        _text("compared with", "reference"),
        _Column("margin", "margin", _by_scale),
        _Column("difference", "difference", _by_scale, "low", "high"),
        _number("p", "p", p_cell),
        _text("equivalent", "equivalent"),
    ),
    "agreement": (
        _text("condition", "condition"),
        _text("statistic", "statistic"),
        _number("value", "value", two_places, "low", "high"),
        *_COUNTS,
    ),
    "models": (
        _text("model", "model"),
        _text("term", "term"),
        _number("estimate", "estimate", two_places, "low", "high"),
        _number("SE", "error", two_places),
        _number("p", "p", p_cell),
        _number("p (Holm)", "p_holm", p_cell),
    ),
    "hypotheses": (
        _text("hypothesis", "hypothesis"),
        _number("no.", "number", count),
        _Column("difference", "difference", _by_scale, "low", "high"),
        _number("p", "p", p_cell),
        _number("p (Holm)", "p_holm", p_cell),
        _text("verdict", "verdict"),
    ),
    "subgroups": (
        _text("subgroup", "subgroup"),
        _text("value", "value"),
        _text("condition", "condition"),
        _Column("mean", "mean", _by_scale, "low", "high"),
        *_COUNTS,
    ),
    "settings": (_text("setting", "setting"), _number("value", "value", plain)),
    "flow": (_text("stage", "stage"), _number("participants", "participants", count)),
}
_BY_MEASURE = (
    "accuracy",
    "ratings",
    "times",
    "preferences",
    "trust",
    "differences",
    "equivalence",
    "agreement",
    "models",
    "subgroups",
)
"""Tables that are shown one measure at a time."""


def shown(analysis: Analysis, name: str) -> tuple[Shown, ...]:
    """A table for people, one measure at a time; nothing where it has no rows."""
    table = analysis.tables[name]
    if name not in _BY_MEASURE:
        return (_shown(table, name, table.title, range(len(table.rows))),) if table.rows else ()
    measures = list(dict.fromkeys(str(row["measure"]) for row in table.rows))
    return tuple(
        _shown(
            table,
            f"{name}:{measure}",
            f"{table.title}: {measure}",
            [number for number, row in enumerate(table.rows) if row["measure"] == measure],
        )
        for measure in measures
    )


def _shown(table: Table, name: str, title: str, numbers: range | list[int]) -> Shown:
    columns = _COLUMNS[table.name]
    rows = tuple(tuple(_cell(table, number, column) for column in columns) for number in numbers)
    headings = tuple(f"{one.heading} [interval]" if one.low else one.heading for one in columns)
    texts = sum(1 for one in columns[:3] if all(isinstance(table.rows[n][one.name], str) for n in numbers))
    return Shown(name, title, headings, rows, table.note, max(texts, 1))


def _cell(table: Table, number: int, column: _Column) -> Sentence:
    row = table.rows[number]
    value = row[column.name]
    if isinstance(value, str):
        return Sentence((Name(value),))
    if value is None:
        return Sentence(("–",))
    spell = column.spell(row)
    parts: tuple[str | Figure, ...] = (figure(table, number, column.name, spell),)
    if column.low and column.high and row[column.low] is not None and row[column.high] is not None:
        low, high = figure(table, number, column.low, spell), figure(table, number, column.high, spell)
        parts = (*parts, " [", low, ", ", high, "]")
    return Sentence(parts)


def overview(analysis: Analysis) -> Shown | None:
    """The table that a paper prints: a row per condition, a column per measure of accuracy or rating."""
    tables = [analysis.tables[name] for name in ("accuracy", "ratings", "times")]
    conditions = list(dict.fromkeys(str(row["condition"]) for table in tables for row in table.rows))
    measures = list(dict.fromkeys((table.name, str(row["measure"])) for table in tables for row in table.rows))
    if not measures:
        return None
    at = {
        (table.name, str(row["measure"]), str(row["condition"])): (table, number)
        for table in tables
        for number, row in enumerate(table.rows)
    }
    columns = {name: next(one for one in _COLUMNS[name] if one.name == "mean") for name in ("accuracy", "ratings", "times")}
    rows = tuple(
        (
            Sentence((Name(condition),)),
            *(
                _cell(*at[(name, measure, condition)], columns[name]) if (name, measure, condition) in at else Sentence(("–",))
                for name, measure in measures
            ),
        )
        for condition in conditions
    )
    unit = {"accuracy": ", % right", "ratings": "", "times": ", s"}
    level = plain(analysis.settings["level"])
    return Shown(
        "overview",
        "Every condition",
        ("condition", *(f"{measure}{unit[name]}" for name, measure in measures)),
        rows,
        f"Means with {level} % intervals over participants and items; times are geometric means.",
    )
