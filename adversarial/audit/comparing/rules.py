"""Rules on what may not get worse, such as "robust_accuracy@l0=5 drops by 0.02": read word by word, and judged.

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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from adversarial.audit.comparing.changes import proof_changes
from adversarial.audit.comparing.intervals import LEVEL, holm
from adversarial.audit.comparing.metrics import (
    OF_THE_PROOFS,
    OF_THE_SEARCH,
    UNITS,
    Metric,
    UndecidedError,
    other_chance,
    other_search,
)
from adversarial.audit.comparing.pairing import names_in_words
from adversarial.audit.comparing.wording import change_in_words, images_in_words, p_in_words, value_after_in_words
from adversarial.distances.distance import DISTANCES
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.audit.comparing.measuring import Measurement, PairedAudits

Change: TypeAlias = Literal["drops", "rises", "changes", "falls below", "rises above"]

EXAMPLE = "robust_accuracy@l0=5 drops by 0.02"
SLACK = 1e-9  # shares are quotients: 0.3 - 0.28 is a little less than 0.02 to a computer
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


@dataclass(frozen=True)
class RuleVerdict:
    """What became of a rule.

    Attributes:
        rule: as it was written.
        holds: whether what it says has happened; None where that can't be decided.
        why: the figures, in a sentence.
        measurement: of its metric; None where that can't be measured.
    """

    rule: str
    holds: bool | None
    why: str
    measurement: Measurement | None = None


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


def judge_rule(rule: Rule, audits: PairedAudits) -> RuleVerdict:
    """Say whether a rule holds in two audits."""
    waiting = [
        f"{audit.directory} ({audit.number('waiting'):,} images)"
        for audit in (audits.before, audits.after)
        if audit.number("waiting")
    ]
    if waiting:
        return RuleVerdict(
            rule.text, None, f"an audit is not finished: {' and '.join(waiting)}; go on with it by `saywhy audit run`"
        )
    if rule.metric.name in OF_THE_PROOFS:
        return _judged_by_proofs(rule, audits)
    unfair = _unfair(rule, audits)
    if unfair:
        return RuleVerdict(rule.text, None, f"{unfair}; audit both with the same settings and seed")
    try:
        measured = audits.measure(rule.metric)
    except UndecidedError as error:
        return RuleVerdict(rule.text, None, str(error))
    holds, why = _judged(rule, measured)
    return RuleVerdict(rule.text, holds, why, measured)


def _judged_by_proofs(rule: Rule, audits: PairedAudits) -> RuleVerdict:
    """A rule on what is proved. Images that can't be compared are named, and leave it open unless the others decide it."""
    try:
        if rule.change in ("falls below", "rises above"):
            return _judged_alone(rule, audits)
        measured = audits.measure(rule.metric)
    except UndecidedError as error:
        if not (rule.any_image and any(one.was_wrong or one.is_wrong for one in audits.proofs)):
            return RuleVerdict(rule.text, None, str(error))
        measured = None
    if rule.any_image:
        holds, why = _judged_singly(rule, audits)
    elif measured is not None and not measured.doubt:
        holds, why = _judged(rule, measured)
    else:
        holds, why = None, f"the proofs differ or are missing ({audits.proofs_in_doubt}); {audits.go_on()}"
    return RuleVerdict(rule.text, holds, why, measured)


def _judged_alone(rule: Rule, audits: PairedAudits) -> RuleVerdict:
    """Of a rule about the proofs of the second audit alone. Proofs that go on can only prove more."""
    measured, left = audits.measure_after(rule.metric)
    holds, why = _judged(rule, measured)
    if left and ("no proof" in left or holds is not (rule.change == "rises above")):
        return RuleVerdict(rule.text, None, f"{why}, but proofs are missing ({left}); {audits.go_on(audits.after)}")
    return RuleVerdict(rule.text, holds, f"{why}{f' ({left})' if left else ''}")


def judge_rules(rules: Sequence[Rule], audits: PairedAudits) -> list[RuleVerdict]:
    """Say which rules hold that are to be kept together: more rules must not bring more false alarms.

    The p of rules with `significantly` on a difference are corrected by Holm's method for the number of metrics that these
    rules name. A rule that a test does not judge (those on an interval, or without `significantly`) stays as it is.
    """
    verdicts = [judge_rule(rule, audits) for rule in rules]
    tested = {
        str(rule.metric): verdict.measurement.p
        for rule, verdict in zip(rules, verdicts, strict=True)
        if rule.tests and verdict.holds is not None and verdict.measurement is not None
    }
    if len(tested) < 2:
        return verdicts
    corrected = holm(tested)
    return [
        _corrected(verdict, corrected[str(rule.metric)], len(tested)) if rule.tests and verdict.holds is not None else verdict
        for rule, verdict in zip(rules, verdicts, strict=True)
    ]


def _corrected(verdict: RuleVerdict, p: float, metrics: int) -> RuleVerdict:
    why = f"{verdict.why}; p = {p_in_words(p)} by Holm's correction for {metrics} metrics with 'significantly'"
    return replace(verdict, holds=bool(verdict.holds) and p < LEVEL, why=why)


def _unfair(rule: Rule, audits: PairedAudits) -> str:
    """Why a rule can't be decided of two searches that differ; "" where it can."""
    before, after = audits.before.settings, audits.after.settings
    if rule.metric.name not in OF_THE_SEARCH:
        return ""
    if rule.change in ("falls below", "rises above"):  # of the second audit, if all its queries count
        cut = audits.limit is not None and audits.limit != after.get("budget")
        return other_search(before, after) if cut else ""
    return other_search(before, after) or (other_chance(before, after) if rule.significantly else "")


def _judged(rule: Rule, measured: Measurement) -> tuple[bool | None, str]:
    why = change_in_words(measured)
    if rule.change in ("falls below", "rises above"):
        why = value_after_in_words(measured)
        value, limit = measured.after.value, _limit(rule, measured)
        if value is None:  # a median beyond all that was found
            return rule.change == "rises above", why
        if rule.significantly and measured.unit != "count":
            end = measured.after.high if rule.change == "falls below" else measured.after.low
            value = (math.inf if rule.change == "falls below" else 0.0) if end is None else end
        return (value < limit - SLACK if rule.change == "falls below" else value > limit + SLACK), why
    gone = _difference(measured)
    if gone is None:
        return None, f"fewer than half of the images were turned in either audit, so that there is no median; {why}"
    if rule.significantly and not measured.significant:
        return False, why
    size = {"drops": -gone, "rises": gone, "changes": abs(gone)}[rule.change]
    return (size > SLACK if rule.amount is None else size >= _step(rule, measured) - SLACK and size > SLACK), why


def _judged_singly(rule: Rule, audits: PairedAudits) -> tuple[bool | None, str]:
    """Of a rule about single images: whether one of them breaks it, and which."""
    signs = {"drops": (-1,), "rises": (1,), "changes": (-1, 1)}[rule.change]
    broken, known, left = proof_changes(audits.proofs, signs, max(rule.amount or 0.0, SLACK) - SLACK)
    word = {"drops": "lower", "rises": "higher", "changes": "other"}[rule.change]
    how, whole = f"{rule.metric} is {word}{_least(rule)} on", f"of {images_in_words(known)} that can be compared"
    if broken:
        return True, f"{how} {len(broken):,} {whole}: {names_in_words(broken)}{f'; left out: {left}' if left else ''}"
    if left:
        return None, f"{how} none {whole}, but others can't be ({left}); {audits.go_on()}"
    return False, f"{how} none {whole}"


def _least(rule: Rule) -> str:
    return "" if rule.amount is None else f" by {rule.amount:g} or more"


def _difference(measured: Measurement) -> float | None:
    """The change; infinite where a median came from beyond what was found, or went there."""
    if measured.before.value is None and measured.after.value is None:
        return None
    if measured.before.value is None:
        return -math.inf
    return math.inf if measured.after.value is None else measured.after.value - measured.before.value


def _limit(rule: Rule, measured: Measurement) -> float:
    amount = rule.amount or 0.0
    if not rule.percent:
        return amount
    return amount / 100 * (measured.images if measured.unit == "count" else 1)


def _step(rule: Rule, measured: Measurement) -> float:
    amount = rule.amount or 0.0
    if not rule.percent:
        return amount
    base = {"share": 1.0, "distance": measured.before.value or 0.0, "count": float(measured.images)}[measured.unit]
    return amount / 100 * base


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
