"""`saywhy audit compare`: did the new version get worse?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note, show_data, show_lines
from saywhy.cli.options.files import Use, hold

HELP = (
    "Compare two audits of the same images: did the new version get worse?\n\n"
    "BEFORE and AFTER are folders of audits. Prints the paired differences with 95 % intervals, and the images that became "
    "fragile. [bold]--fail-if[/bold] names what must not happen; each rule is METRIC\\[@POINT] \\[significantly] CHANGE. "
    "Metrics: robust_accuracy (@l0=5, @queries=300), accuracy, weather, weather:blur (@severity=5), median_distance, "
    "mean_distance, proved_bound, exact_bounds, found, failed, compared. Changes: drops, rises or changes (by 0.02, by 2%), "
    "falls below 0.8, rises above 3; of proved_bound also drops on any image.\n\n"
    '[bold]Example:[/bold] saywhy audit compare old new --fail-if "robust_accuracy@l0=5 drops by 0.02"\n\n'
    "[bold]Exit status:[/bold] 0 no rule holds; 1 a rule holds; 2 a rule can't be decided, or the audits can't be compared; "
    "130 it was interrupted.\n"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="compare", help=HELP)(compare)


def compare(
    before: Annotated[Path, typer.Argument(help="The folder of the first audit.", metavar="BEFORE", file_okay=False)],
    after: Annotated[Path, typer.Argument(help="The folder of the second audit.", metavar="AFTER", file_okay=False)],
    fail_if: Annotated[
        list[str] | None,
        typer.Option(help="A rule on what must not happen; see above (repeatable).", metavar="RULE", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file to write the comparison to."), Use.WRITTEN] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap intervals.")] = 0,
) -> None:
    """Compare two audits."""
    from adversarial.audit.comparing import compare_audits, comparison_record, comparison_text, read_rule
    from adversarial.audit.comparing.reporting import search_in_doubt
    from saywhy_core.disk.files import atomic_open

    rules = [read_rule(text) for text in fail_if or ()]
    hold(out, "comparison")
    comparison = compare_audits(before, after, seed=seed)
    verdicts = comparison.judge_all(rules)
    if as_json:
        show_data(json.dumps(comparison_record(comparison, verdicts), ensure_ascii=False) + "\n")
    else:
        show_lines(comparison_text(comparison, verdicts))
    if out is not None:
        with atomic_open(out) as stream:
            json.dump(comparison_record(comparison, verdicts), stream, ensure_ascii=False, indent=1)
    if (doubt := search_in_doubt(comparison)) is not None:
        note(doubt, style="yellow")
    for verdict in verdicts:
        if verdict.holds is None:
            note(f"can't be decided: {verdict.rule}: {verdict.why}", style="red")
        elif verdict.holds:
            note(f"fails, because the rule holds: {verdict.rule}: {verdict.why}", style="red")
    if any(verdict.holds is None for verdict in verdicts):
        raise typer.Exit(2)
    if any(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)
