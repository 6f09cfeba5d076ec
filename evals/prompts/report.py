"""Formats a prompt report as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.prompts.sweep import sweep_text
from evals.prompts.unseen import seen_words
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from evals.prompts.evidence import Control, PromptReport


def report_text(report: PromptReport, *, after: str = "with descriptions") -> str:
    """The report as lines of text: accuracies with intervals, images fixed and broken, controls, changed classes, verdict.

    Args:
        report: the evidence.
        after: what the second accuracy is called.
    """
    comparison, difference = report.comparison, report.comparison.difference
    lines = [
        f"images                {comparison.images}",
        f"{report.first:<21} {comparison.before}",
        f"{after:<21} {comparison.after}",
        f"difference            {difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%})",
        f"fixed / broken        {len(comparison.fixed)} / {len(comparison.broken)}, exact McNemar p = {comparison.p:.3g}",
    ]
    if report.averaged is not None:
        lines.append(
            f"captions averaged     {report.averaged.mean:.1%}, without a second look; p against it {report.averaged.p:.3g}"
        )
    lines.extend(_control_line(control) for control in report.controls)
    if report.alone is not None:
        lines.append(f"{_control_line(report.alone, '    of other classes')} of those without class names")
    changed = [one for one in comparison.classes if one.after != one.before]
    changed.sort(key=lambda one: (one.before - one.after, one.name))  # classes with the largest gain come first
    lines.extend(f"  {legible(one.name)}: {one.before} -> {one.after} of {one.images}" for one in changed)
    if report.missing:
        pairs_are = "pair that the images need is" if len(report.missing) == 1 else "pairs that the images need are"
        lines.append(f"{len(report.missing)} {pairs_are} not described; the template stood in")
    if report.sweep is not None:
        lines.append(sweep_text(report.sweep))
    if said := seen_words(report.left_out, unknown=report.may_be_seen):
        lines.append(said)
    return "\n".join([*lines, report.verdict])


def _control_line(control: Control, name: str = "") -> str:
    many = len(control.accuracies) > 1
    spread = (
        f" (mean of {len(control.accuracies)}, {min(control.accuracies):.1%} to {max(control.accuracies):.1%})" if many else ""
    )
    against = "p against its best" if many else "p against it"
    return f"{name or '  ' + control.name:22}{control.mean:.1%}{spread}, {against} {control.p:.3g}"
