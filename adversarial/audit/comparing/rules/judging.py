"""Which rules two audits keep and which they break, in figures and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adversarial.audit.comparing.changes import proof_changes
from adversarial.audit.comparing.intervals import LEVEL, holm
from adversarial.audit.comparing.metrics import OF_THE_PROOFS, OF_THE_SEARCH, UndecidedError, other_chance, other_search
from adversarial.audit.comparing.pairing import names_in_words
from adversarial.audit.comparing.wording import change_in_words, images_in_words, p_in_words, value_after_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.audit.comparing.measuring import Measurement, PairedAudits
    from adversarial.audit.comparing.rules.reading import Rule

SLACK = 1e-9  # shares are quotients: 0.3 - 0.28 is a little less than 0.02 to a computer


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
