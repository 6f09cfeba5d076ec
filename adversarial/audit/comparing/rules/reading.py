"""Rules on what may not get worse, such as "robust_accuracy@l0=5 drops by 0.02", read word by word.

RULE   = METRIC [ "significantly" ] CHANGE [ "on" "any" "image" ]
METRIC = NAME [ ":" KIND ] [ "@" POINT { "," POINT } ]
POINT  = DISTANCE "=" NUMBER | "queries" "=" NUMBER | "severity" "=" NUMBER
CHANGE = ( "drops" | "rises" | "changes" ) [ "by" NUMBER [ "%" ] ]
       | "falls" "below" NUMBER [ "%" ] | "rises" "above" NUMBER [ "%" ]
NUMBER = decimal number, or a fraction such as 8/255
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from adversarial.audit.comparing.metrics import UNITS, Metric
from adversarial.distances.distance import DISTANCES
from saywhy_core.errors import UsageError

Change: TypeAlias = Literal["drops", "rises", "changes", "falls below", "rises above"]

EXAMPLE = "robust_accuracy@l0=5 drops by 0.02"
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_POINTS = {
    "robust_accuracy": ("a distance such as l0", "queries"),
    "median_distance": ("queries",),
    "mean_distance": ("queries",),
    "found": ("queries",),
    "weather": ("severity",),
}


@dataclass(frozen=True)
class Rule:
    """A rule that two audits break or keep.

    Attributes:
        text: as it was written.
        metric: what is measured.
        change: what may not happen.
        amount: by how much, or below or above what; None for any change.
        percent: whether the amount is in percent: of the value before for distances, of the compared images for counts.
        significantly: whether chance alone must not explain the change (p < 0.05).
        any_image: whether the change of one image is enough; of `proved_bound` alone.
    """

    text: str
    metric: Metric
    change: Change
    amount: float | None = None
    percent: bool = False
    significantly: bool = False
    any_image: bool = False

    @property
    def tests(self) -> bool:
        """Whether it holds by the p of a difference."""
        return self.significantly and self.change in ("drops", "rises", "changes")


def read_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        UsageError: it is none; the error says what was understood, what was expected instead, and gives an example.
    """
    words = _Words(text)
    metric = _read_metric(words)
    significantly = words.take("significantly")
    change = _read_change(words)
    amount, percent = None, False
    if change in ("falls below", "rises above"):
        amount, percent = words.amount(f"a number after {change!r}")
    elif words.take("by"):
        amount, percent = words.amount("a number after 'by'")
    any_image = words.take("on")
    if any_image and not (words.take("any") and words.take("image")):
        words.wrong("'any image' after 'on'")
    if words.rest:
        words.wrong("the end, or 'by' and a number" if amount is None and not any_image else "the end")
    return _checked(Rule(text, metric, change, amount, percent, significantly, any_image), words)


def _read_metric(words: _Words) -> Metric:
    text = words.next()
    if text is None:
        words.wrong(f"a metric ({', '.join(UNITS)})")
    head, at, points = text.partition("@")
    name, colon, kind = head.partition(":")
    if name not in UNITS:
        words.wrong(f"a metric ({', '.join(UNITS)})", text)
    if colon and (name != "weather" or not kind):
        words.wrong("a kind of weather after 'weather:'" if name == "weather" else f"{name} without a colon", text)
    found: dict[str, float] = {}
    norm = None
    for point in points.split(",") if at else ():
        key, equals, value = point.partition("=")
        number = read_number(value)
        if not equals or number is None:
            words.wrong("a point such as l0=5, queries=1000 or severity=3 after '@'", point or text)
        known = _POINTS.get(name, ())
        is_distance = name == "robust_accuracy" and key in DISTANCES
        if not is_distance and key not in known:
            words.wrong(f"{name} with {' or '.join(known)}" if known else f"{name} without a point", point)
        if key in found or (is_distance and norm is not None):
            words.wrong("each kind of point once", point)
        if not is_distance and (number != int(number) or number < 1):
            words.wrong(f"a whole number of {key}", point)
        norm = key if is_distance else norm
        found[key] = number
    whole = {key: int(found[key]) for key in ("queries", "severity") if key in found}
    return Metric(name, kind or None, norm, None if norm is None else found[norm], whole.get("queries"), whole.get("severity"))


def _read_change(words: _Words) -> Change:
    if words.take("drops"):
        return "drops"
    if words.take("changes"):
        return "changes"
    if words.take("rises"):
        return "rises above" if words.take("above") else "rises"
    if words.take("falls"):
        if not words.take("below"):
            words.wrong("'below' after 'falls'; write 'drops' for a difference")
        return "falls below"
    return words.wrong("what may not happen: drops, rises, changes, falls below or rises above")


def _checked(rule: Rule, words: _Words) -> Rule:
    unit, amount = rule.metric.unit, rule.amount
    relative = rule.change in ("drops", "rises", "changes")
    if rule.metric.name == "compared" and relative:
        raise UsageError(
            f"{words.begin} compared is the number of images that both audits judged, which has no before and after; write for "
            "example compared falls below 300"
        )
    if rule.significantly and unit == "count" and not relative:
        raise UsageError(
            f"{words.begin} chance has no part in whether a count {rule.change} a number; leave 'significantly' out, or write "
            f"for example {rule.metric} significantly rises"
        )
    if rule.any_image and (rule.metric.name != "proved_bound" or not relative or rule.significantly or rule.percent):
        raise UsageError(
            f"{words.begin} only proved_bound is judged image by image, by drops, rises or changes and a number of pixels; "
            "write for example proved_bound drops on any image"
        )
    if rule.any_image and amount == 0:
        raise UsageError(f"{words.begin} a change by 0 is none; leave 'by 0' out for any change, or write a number above 0")
    if amount is None:
        return rule
    if unit == "share" and amount > (100 if rule.percent else 1):
        raise UsageError(
            f"{words.begin} {rule.metric} is a share between 0 and 1, so that {amount:g}{'%' if rule.percent else ''} can't be "
            "meant; write for example 0.02 or 2%"
        )
    if unit == "distance" and rule.percent and not relative:
        raise UsageError(f"{words.begin} {rule.metric} is a distance; write a number without % after {rule.change!r}")
    return rule


def read_number(text: str) -> float | None:
    """A decimal number, or a fraction such as 8/255; None where it is neither."""
    above, slash, below = text.partition("/")
    if not _NUMBER.fullmatch(above) or (slash and (not _NUMBER.fullmatch(below) or not float(below))):
        return None
    found = float(above) / float(below) if slash else float(above)
    return found if math.isfinite(found) else None


class _Words:
    """The words of a rule, taken one by one."""

    def __init__(self, text: str) -> None:
        self.all = text.split()
        self.place = 0
        self.begin = f"the rule {text[:200]!r} can't be read:"

    @property
    def rest(self) -> list[str]:
        return self.all[self.place :]

    def next(self) -> str | None:
        word = self.rest[0] if self.rest else None
        self.place += word is not None
        return word

    def take(self, word: str) -> bool:
        """Whether this is the next word; it is taken then."""
        taken = bool(self.rest) and self.rest[0] == word
        self.place += taken
        return taken

    def amount(self, wanted: str) -> tuple[float, bool]:
        """A number, and whether a percent sign follows it."""
        word = self.rest[0] if self.rest else ""
        number = read_number(word.removesuffix("%"))
        if number is None:
            self.wrong(wanted)
        self.place += 1
        return number, word.endswith("%") or self.take("%")

    def wrong(self, wanted: str, found: str | None = None) -> NoReturn:
        """Say what was expected.

        Raises:
            UsageError: always.
        """
        have = found if found is not None else self.rest[0] if self.rest else None
        known = " ".join(self.all[: self.place if found is None else max(self.place - 1, 0)])
        raise UsageError(
            f"{self.begin} {f'after {known!r}, ' if known else ''}expected {wanted}, found "
            f"{'its end' if have is None else repr(have)}; an example is: {EXAMPLE}"
        )
