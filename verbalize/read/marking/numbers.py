"""Finds numbers in a text, with the precision in which they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FRACTIONS = {
    "half": 0.5, "one half": 0.5, "a half": 0.5, "a third": 1 / 3, "one third": 1 / 3, "two thirds": 2 / 3, "a quarter": 0.25,
    "one quarter": 0.25, "three quarters": 0.75, "a fourth": 0.25, "a fifth": 0.2, "one fifth": 0.2, "two fifths": 0.4,
    "three fifths": 0.6, "four fifths": 0.8, "a tenth": 0.1, "one tenth": 0.1, "nine tenths": 0.9,
}  # fmt: skip
_HEDGES = {
    "about": "about", "around": "about", "roughly": "about", "approximately": "about", "approx.": "about", "some": "about",
    "circa": "about", "~": "about", "≈": "about", "almost": "about", "nearly": "about", "close to": "about",
    "just under": "about", "just over": "about", "more than": "above", "over": "above", "at least": "above", "above": "above",
    "upwards of": "above", "less than": "below", "under": "below", "at most": "below", "below": "below",
    "no more than": "below", "well over": "above",
}  # fmt: skip
_HEDGE = "|".join(sorted((re.escape(hedge) for hedge in _HEDGES), key=len, reverse=True))
_WORDED = "|".join(sorted((name.replace(" ", "[ -]") for name in _FRACTIONS), key=len, reverse=True))
NUMBER = re.compile(
    rf"(?:(?<!\w)(?P<hedge>{_HEDGE}) ?(?:a )?)?(?:(?P<sign>(?<![\w.])[-−–+])?(?<![\w.,])"
    r"(?P<digits>\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,40})?|\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})(?P<power>[eE][-+]?\d{1,3})?"
    r"(?: ?(?P<percent>%|percent\b|per[ -]cent\b|percentage points\b))?"
    rf"|(?<!\w)(?P<worded>{_WORDED})(?=\s+(?:of|the)\b))(?![\w])",
    re.IGNORECASE,
)
_ABOUT = 0.05  # tolerance of "about a third", "almost half": five percentage points; for a score it is a tenth of the number


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text.

    Args:
        value: the number; a percentage is given as a fraction.
        tolerance: how far the true value may lie from it.
        percent: whether it was written as a percentage, or as a fraction in words.
        exact: whether it was written in digits with a minus sign, decimals, an exponent or a percent sign.
        bound: "above" for "more than", "below" for "less than", else `None`.
    """

    value: float
    tolerance: float
    percent: bool
    exact: bool
    bound: str | None = None

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Value and tolerance of the interval that the number means, for a quantity between `low` and `high`."""
        if self.bound is None:
            return self.value, self.tolerance
        bottom, top = (self.value, max(high, self.value)) if self.bound == "above" else (min(low, self.value), self.value)
        return (bottom + top) / 2, (top - bottom) / 2


def number_of(match: re.Match[str]) -> Number:
    """The number that `NUMBER` matched."""
    hedge = _HEDGES.get((match["hedge"] or "").lower())
    bound = hedge if hedge in ("above", "below") else None
    if match["worded"]:
        value = _FRACTIONS[match["worded"].lower().replace("-", " ")]
        return Number(value, _ABOUT, percent=True, exact=False, bound=bound)
    digits = match["digits"].replace(",", "")
    places = len(digits.partition(".")[2])
    exponent = int(match["power"][1:]) if match["power"] else 0
    unit = 10.0 ** max(min(exponent - places, 300), -300)
    value = float(digits + (match["power"] or ""))
    if value in (float("inf"), float("-inf")):
        value = 1e300
    value = -value if match["sign"] in ("-", "−", "–") else value
    percent = match["percent"] is not None
    tolerance = 0.5 * unit
    if percent:
        value, tolerance = value / 100, tolerance / 100
    if hedge == "about":
        tolerance = max(tolerance, _ABOUT if percent else 0.1 * abs(value))
    exact = percent or "." in digits or match["sign"] in ("-", "−", "–") or match["power"] is not None
    return Number(value, tolerance, percent=percent, exact=exact, bound=bound)
