"""Formats a prompt report as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saywhy_core.legible import legible

if TYPE_CHECKING:
    from evals.prompts.evaluation import PromptReport


def report_text(report: PromptReport) -> str:
    """The report as lines of text: accuracies with intervals, images fixed and broken, controls, changed classes, verdict."""
    comparison, difference = report.comparison, report.comparison.difference
    lines = [
        f"images                {comparison.images}",
        f"template alone        {comparison.before}",
        f"with descriptions     {comparison.after}",
        f"difference            {difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%})",
        f"fixed / broken        {len(comparison.fixed)} / {len(comparison.broken)}, exact McNemar p = {comparison.p:.3g}",
    ]
    for control in report.controls:
        spread = ""
        if len(control.accuracies) > 1:
            spread = f" (mean of {len(control.accuracies)}, {min(control.accuracies):.1%} to {max(control.accuracies):.1%})"
        lines.append(f"  {control.name:20}{control.mean:.1%}{spread}, p against its best {control.p:.3g}")
    changed = [one for one in comparison.classes if one.after != one.before]
    changed.sort(key=lambda one: (one.before - one.after, one.name))  # classes with the largest gain come first
    lines.extend(f"  {legible(one.name)}: {one.before} -> {one.after} of {one.images}" for one in changed)
    if report.missing:
        pairs_are = "pair that the images need is" if len(report.missing) == 1 else "pairs that the images need are"
        lines.append(f"{len(report.missing)} {pairs_are} not described; the template stood in")
    return "\n".join([*lines, report.verdict])
