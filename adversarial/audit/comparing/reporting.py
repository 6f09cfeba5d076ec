"""The comparison of two audits as sentences, as a text for people, and as a record for programs."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

from adversarial.audit.comparing.changes import BETTER, WORSE
from adversarial.audit.comparing.metrics import other_chance, other_search
from adversarial.audit.comparing.recounting import Recount
from adversarial.audit.comparing.wording import change_in_words, images_in_words
from adversarial.audit.records import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.audit.comparing.changes import How, ImageChange
    from adversarial.audit.comparing.comparison import AuditComparison
    from adversarial.audit.comparing.pairing import AuditRows
    from adversarial.audit.comparing.rules.judging import RuleVerdict
    from adversarial.audit.records import ImageRecord

LISTED = 20
"""Images of each kind that a text lists: more would hide the rest; the JSON has all."""

_HOW: dict[How, str] = {
    "wrong": "are classified wrongly only in the second audit",
    "turned": "were turned only in the second audit",
    "nearer": "were turned by half the change or less",
    "right": "are classified rightly only in the second audit",
    "held": "were not turned any more",
    "farther": "were turned only by twice the change or more",
}


def told(comparison: AuditComparison) -> list[str]:
    """What the comparison found, one sentence each."""
    return [
        *pairing_sentences(comparison),
        *measured_sentences(comparison),
        changes_sentence("became fragile", comparison.fragile, WORSE),
        changes_sentence("got better", comparison.better, BETTER),
    ]


def measured_sentences(comparison: AuditComparison) -> list[str]:
    """What was measured, one sentence per metric. Each is counted again from the rows; one that is false is left out."""
    said = [f"{change_in_words(one)}." for one in comparison.measurements]
    with closing(Recount(comparison.audits)) as rows:
        return [sentence for sentence in said if rows.judge(sentence) != "false"]


def pairing_sentences(comparison: AuditComparison) -> list[str]:
    """Which images were compared, and which were not."""
    old, new, pairing = comparison.audits.before, comparison.audits.after, comparison.pairing
    verb = "is" if len(pairing.pairs) == 1 else "are"
    here = f"{len(old.records):,} in {old.directory} and {len(new.records):,} in {new.directory}"
    both = images_in_words(len(pairing.pairs))
    said = [f"{both} of {here} {verb} in both; both audits judged {comparison.judged:,} of them."]
    for audit in (old, new):
        for status, became in (("failed", "could not be attacked"), ("waiting", "still to be attacked")):
            number = audit.number(status)
            if number:
                verb = "is " if status == "waiting" and number == 1 else "are " if status == "waiting" else ""
                said.append(f"In {audit.directory}, {images_in_words(number)} {verb}{became}.")
    for audit, alone in ((old, pairing.only_before), (new, pairing.only_after)):
        if alone:
            more = f" and {len(alone) - 3:,} more" if len(alone) > 3 else ""
            said.append(f"{images_in_words(len(alone))} only in {audit.directory}: {', '.join(map(_image, alone[:3]))}{more}.")
    if pairing.other_pixels:
        said.append(f"{images_in_words(pairing.other_pixels)} paired by path, with other pixels in the second audit.")
    said += [f"The setting {one.name} differs: {one.before!r} before, {one.after!r} after." for one in comparison.settings]
    if comparison.audits.limit is not None:
        said.append(f"Only the first {comparison.audits.limit:,} queries of each search count, because the budgets differ.")
    if (doubt := search_in_doubt(comparison)) is not None:
        said.append(doubt)
    return said


def search_in_doubt(comparison: AuditComparison) -> str | None:
    """What a reader must know where the two audits searched otherwise; None where they searched alike."""
    before, after = comparison.audits.before.settings, comparison.audits.after.settings
    if why := other_search(before, after):
        return f"Robust accuracy, distances and fragile images can't be compared fairly: {why}."
    if why := other_chance(before, after):
        return f"Robust accuracy, distances and fragile images are to be read with care: {why}."
    return None


def changes_sentence(became: str, changes: Sequence[ImageChange], kinds: Sequence[How]) -> str:
    """How many images became fragile, or got better, and how."""
    if not changes:
        return f"No image {became}."
    counts = Counter(one.how for one in changes)
    parts = [f"{counts[kind]:,} {_HOW[kind] if counts[kind] != 1 else _singular(_HOW[kind])}" for kind in kinds if counts[kind]]
    return f"{images_in_words(len(changes))} {became}: {', '.join(parts)}."


def comparison_text(comparison: AuditComparison, verdicts: Sequence[RuleVerdict] = ()) -> str:
    """The comparison as a text of several lines, with what became of the rules."""
    lines = [f"before: {comparison.audits.before.directory}{_target(comparison.audits.before.settings)}"]
    lines += [f"after:  {comparison.audits.after.directory}{_target(comparison.audits.after.settings)}", ""]
    lines += [*pairing_sentences(comparison), ""]
    lines += measured_sentences(comparison)
    lines += [f"{why}." for why in comparison.unmeasured]
    for became, changes, kinds in (("became fragile", comparison.fragile, WORSE), ("got better", comparison.better, BETTER)):
        lines += ["", changes_sentence(became, changes, kinds)]
        lines += [f"  {one.sentence}" for one in changes[:LISTED]]
        if len(changes) > LISTED:
            lines.append(f"  and {len(changes) - LISTED:,} more")
    if verdicts:
        lines.append("")
        lines += [verdict_in_words(one) for one in verdicts]
    methods = dict.fromkeys(method for one in comparison.measurements for method in one.methods)
    lines += ["", f"Intervals have 95%. Methods: {'; '.join(methods)}. Each p is for its own line alone."]
    return "\n".join(lines)


def verdict_in_words(verdict: RuleVerdict) -> str:
    """What became of a rule, in a line."""
    became = {True: "FAILS", False: "passes", None: "can't be decided"}[verdict.holds]
    return f"{became}: {verdict.rule} - {verdict.why}"


def _singular(words: str) -> str:
    return words.replace("are ", "is ", 1).replace("were ", "was ", 1)


def _target(settings: object) -> str:
    target = settings.get("target") if hasattr(settings, "get") else None
    return f" ({target})" if target else ""


def comparison_record(comparison: AuditComparison, verdicts: Sequence[RuleVerdict] = ()) -> dict[str, Any]:
    """The comparison as JSON values, with what became of the rules."""
    pairing = comparison.pairing
    return {
        "format": 1,
        "before": _side(comparison.audits.before),
        "after": _side(comparison.audits.after),
        "paired": len(pairing.pairs),
        "judged_in_both": comparison.judged,
        "paired_by_path": pairing.other_pixels,
        "only_before": [_place(one) for one in pairing.only_before],
        "only_after": [_place(one) for one in pairing.only_after],
        "settings": [{"name": one.name, "before": one.before, "after": one.after} for one in comparison.settings],
        "queries_compared": comparison.audits.limit,
        "measurements": [one.to_dict() for one in comparison.measurements],
        "unmeasured": list(comparison.unmeasured),
        "fragile": [one.to_dict() for one in comparison.fragile],
        "better": [one.to_dict() for one in comparison.better],
        "sentences": told(comparison),
        "rules": [
            {
                "rule": one.rule,
                "holds": one.holds,
                "why": one.why,
                "measurement": None if one.measurement is None else one.measurement.to_dict(),
            }
            for one in verdicts
        ],
    }


def _place(record: ImageRecord) -> str:
    """A path, with the place in its array, counted from 0, where it is one of several images there."""
    return record.path if record.part is None else f"{record.path}[{record.part}]"


def _image(record: ImageRecord) -> str:
    """A picture by its path, and an image of an array by its name."""
    return record.path if record.part is None else f"{record.name} ({_place(record)})"


def _side(audit: AuditRows) -> dict[str, Any]:
    return {
        "directory": audit.directory,
        "target": audit.settings.get("target"),
        "saywhy": audit.about.get("saywhy"),
        "images": len(audit.records),
        "statuses": {status: audit.number(status) for status in STATUSES},
    }
