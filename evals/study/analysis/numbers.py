"""Numbers as texts for people: percent, points, p-values. Each keeps the cell that it comes from."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from evals.study.analysis.nouns import Table, Value

MINUS = "\N{MINUS SIGN}"


def figure(table: Table, row: int, column: str, spell: Callable[[Value], str]) -> Figure:
    """A cell as a number in a text.

    Args:
        table: the table.
        row: from 0.
        column: its name.
        spell: how the number is written.
    """
    return Figure(spell(table.rows[row][column]), table.name, row, column)


def _signed(value: Value, form: str, scale: float = 1.0) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    said = format(_rounded(value, form, scale), form)
    if said.startswith("-"):
        said = said[1:] if not said.strip("-0.") else MINUS + said[1:]
    return said


def _rounded(value: float, form: str, scale: float = 1.0) -> float:
    """The number that the form shows: halves of the decimal number go away from zero, as people round."""
    exact = Decimal(repr(float(value))) * Decimal(str(scale))
    if not exact or not exact.is_finite():
        return float(exact)
    digits = int(form.strip("#.fg"))
    last = -digits if form.endswith("f") else exact.adjusted() - digits + 1
    return float(exact.quantize(Decimal(1).scaleb(last), ROUND_HALF_UP))


def percent(value: Value) -> str:
    """A share as percent without the sign: 0.9075 is "90.8"."""
    return _signed(value, ".1f", 100)


def two_places(value: Value) -> str:
    """A rating, a kappa, an effect: "5.18"."""
    return _signed(value, ".2f")


def seconds(value: Value) -> str:
    """Times, and ratios of times: three significant digits."""
    if isinstance(value, (int, float)) and abs(value) >= 1e5:
        return _signed(value, ".2g")
    if isinstance(value, (int, float)) and abs(value) >= 100:
        return _signed(value, ".0f")
    return _signed(value, "#.3g").rstrip(".") if value is not None else "–"


def count(value: Value) -> str:
    """A whole number."""
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def p_value(value: Value) -> str:
    """A p-value in the style of APA, with its sign: "= .032", "< .001"."""
    if not isinstance(value, (int, float)):
        return "–"
    if value < 0.001:
        return "< .001"
    return "= " + f"{_rounded(value, '.3f'):.3f}".removeprefix("0") if value < 0.9995 else "> .999"


def p_cell(value: Value) -> str:
    """A p-value in a table: ".032", "< .001"."""
    return p_value(value).removeprefix("= ")


def plain(value: Value) -> str:
    """A text, a whole number, or a number with three significant digits."""
    if value is None or isinstance(value, str):
        return value or "–"
    return f"{value:,.0f}" if float(value).is_integer() else _signed(value, ".3g")
