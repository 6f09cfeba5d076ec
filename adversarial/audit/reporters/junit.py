"""JUnit XML, which CI systems show: one test case per image."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from adversarial.audit.reporters.reporter import Reporter
from adversarial.audit.summary.summarizing import name_of
from adversarial.distances.distance import DISTANCES
from saywhy_core.disk.redacting import RedactedText
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adversarial.audit.summary.nouns import AuditSummary, ImageRow

LONGEST = 2_000
"""Characters of one attribute: CI systems cut or refuse longer ones."""


def write_junit(summary: AuditSummary, path: Path, *, fragile_below: float | None = None) -> None:
    """Write one test case per image, with what was proved about it as its output.

    An image that could not be attacked is an error, one that waits or was wrong from the start is skipped, and with
    `fragile_below` one that a smaller change turns is a failure. Without it no image is a failure.

    Args:
        summary: the summary.
        path: the file.
        fragile_below: a distance above 0.

    Raises:
        UsageError: the threshold is not above 0.
    """
    if fragile_below is not None and not fragile_below > 0:
        raise UsageError(f"the distance below which an image is fragile must be above 0, not {fragile_below}")
    cases = [(row, *_outcome(summary, row, fragile_below)) for row in summary.images]
    kinds = [kind for _, kind, _ in cases]
    totals = (
        f"tests={quoteattr(str(len(cases)))} failures={quoteattr(str(kinds.count('failure')))} "
        f"errors={quoteattr(str(kinds.count('error')))} skipped={quoteattr(str(kinds.count('skipped')))}"
    )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        text = RedactedText(stream.write)
        text.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        text.write(f"<testsuites name={_quoted('saywhy audit')} {totals}>\n<testsuite name={_quoted('robustness')} {totals}>\n")
        text.write("".join(_properties(summary)))
        for row, kind, why in cases:
            group = _quoted(name_of(row.record.label, row.record.label_name) or "no class")
            text.write(f"<testcase classname={group} name={_quoted(row.record.name)}")
            inner = "" if not kind else f"<{kind} message={_quoted(why)}/>"
            if row.pixels:
                said = legible(f"pixels: {row.pixels}. {row.proved_text}".strip())[:LONGEST]
                inner += f"<system-out>{escape(said)}</system-out>"
            text.write(f">{inner}</testcase>\n" if inner else "/>\n")
        text.write("</testsuite>\n</testsuites>\n")
        text.finish()


def _outcome(summary: AuditSummary, row: ImageRow, fragile_below: float | None) -> tuple[str, str]:
    status = row.record.status
    if status == "failed":
        return "error", row.record.error or "it could not be attacked"
    if status == "waiting":
        return "skipped", "it has not been attacked yet"
    if status == "wrong":
        return "skipped", "it was classified wrongly, or as the goal, before anything was changed"
    if status == "found" and fragile_below is not None and row.distance is not None and row.distance < fragile_below:
        in_words = DISTANCES.get(summary.norm).in_words
        return "failure", f"turned at {in_words(row.distance)}, below {in_words(fragile_below)}. {row.text}".strip()
    return "", ""


def _properties(summary: AuditSummary) -> Iterator[str]:
    yield "<properties>\n"
    for name, value in (
        ("command", summary.command or summary.unrepeatable or ""),
        ("saywhy", str(summary.about.get("saywhy", ""))),
    ):
        yield f"<property name={_quoted(name)} value={_quoted(value)}/>\n"
    yield "</properties>\n"


def _quoted(text: str) -> str:
    """An attribute's value. Control characters, which XML can't hold, are written as escapes."""
    line = legible(text)
    return quoteattr(line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}")


JUNIT = Reporter("JUnit XML for CI: one test case per image", ".xml", write_junit, uses=("fragile_below",))
