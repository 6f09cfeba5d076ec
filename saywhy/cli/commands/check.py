"""`saywhy check`: hold texts against the maps they speak of."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saywhy.cli.options import maps as reading
from saywhy_core.errors import Problem, UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from verbalize.claims import Claim
    from verbalize.saliency import Saliency

HELP = """Hold sentences against the saliency maps they speak of, whoever wrote them.

TEXTS is JSON Lines with `id` and `text`; `claims`, where given, are checked too. The sentences are read back into claims, and
each claim is checked. Prints what is false and what is true instead; exits with 1 if anything false is said.

[bold]Example:[/bold] saywhy check texts.jsonl --maps maps.jsonl
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="check", help=HELP)(check)


def check(
    texts: Annotated[str, typer.Argument(help="JSON Lines with id and text; - for standard input.", metavar="TEXTS")],
    maps: Annotated[str, typer.Option(help="File of the saliency maps.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a text instead of a table.")] = False,
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    format: reading.FormatOption = "auto",  # noqa: A002
) -> None:
    """Check texts against maps."""
    source = reading.MapReader(maps, format, label, tuple(versus or ()))
    by_id = {saliency.saliency_id: saliency for saliency in source}
    problems = source.problems
    table = Table("id", "false statement", "what the map says", title_justify="left", expand=False)
    checked = claims = false = unread = 0
    with progress_bar("checking") as bar:
        for line, record in reading.text_records(texts, problems):
            name = str(record["id"])
            saliency = by_id.get(name)
            if saliency is None:
                problems.append(Problem(texts, f"there is no map of this id in {maps}", line, name))
                continue
            try:
                report = _report(record, saliency)
            except UsageError as error:
                problems.append(Problem(texts, str(error), line, name))
                continue
            checked, claims, unread = checked + 1, claims + report["claims"], unread + len(report["unread"])
            false += len(report["errors"])
            for falsehood in report["errors"]:
                table.add_row(name, falsehood["kind"], falsehood["message"])
            if as_json:
                sys.stdout.write(json.dumps({"id": name, **report}, ensure_ascii=False) + "\n")
            bar.advance()
    if not as_json:
        console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
        if false:
            console.print(table)
        share = f", precision {1 - false / claims:.1%}" if claims else ""
        console.print(f"{checked} texts, {claims} statements, {false} false{share}")
        if unread:
            console.print(f"{unread} sentences speak of the evidence in words that can't be read as a claim; see --json")
    if problems:
        reading.tell_problems(problems, checked)
    if false:
        raise typer.Exit(1)


def _report(record: dict[str, Any], saliency: Saliency) -> dict[str, Any]:
    """What is said and what of it is false: the claims in the record and those read from its text, each counted once."""
    from verbalize.claims import Claim
    from verbalize.claims import check as hold
    from verbalize.read import read_sentences

    sentences = read_sentences(record["text"], saliency)
    stated = [Claim.from_record(claim) for claim in record.get("claims") or ()]
    read = [claim for sentence in sentences for claim in sentence.claims]
    # what the text says counts; a stated claim counts where the text does not say it too
    beyond = [claim for claim in stated if _meaning(claim) not in {_meaning(said) for said in read}]
    report = hold([*read, *beyond], saliency)
    return {
        "claims": len(report.claims),
        "errors": [{"kind": error.kind, "message": error.message, "claim": error.claim.to_record()} for error in report.errors],
        "unread": [sentence.text for sentence in sentences if sentence.unread],
    }


def _meaning(claim: Claim) -> tuple[object, ...]:
    return (claim.kind, claim.part, claim.other, claim.direction or "supports", claim.value)
