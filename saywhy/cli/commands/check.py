"""`saywhy check`: texts checked against the maps they are about."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from saywhy.cli.options.console import counted
from saywhy.cli.options.groups import with_groups
from saywhy.cli.options.maps import MapsOption, ReadingOptions, TextsArgument
from saywhy_core.errors import Problem, UsageError
from saywhy_core.progress import progress_bar

HELP = """Check sentences against the saliency maps that they are about, whoever wrote them.

TEXTS is JSON Lines with `id` and `text`; `claims`, where given, are checked too. The sentences are read back into claims, and
each claim is checked. The command prints what is false, and what is true instead.

[bold]Example:[/bold] saywhy check texts.jsonl --maps maps.jsonl

[bold]Exit status:[/bold] 0 nothing false was found; 1 something false was found, or a record was left out; 2 the command could
not run; 130 it was interrupted.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="check", help=HELP)(with_groups(check))


def check(
    texts: TextsArgument,
    maps: MapsOption,
    reading: ReadingOptions,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per text instead of a table.")] = False,
) -> None:
    """Check texts against maps."""
    from verbalize import check_text, iter_texts, with_maps

    source = reading.read(maps)
    table = Table("id", "false statement", "what the map says", expand=False)
    unchecked: list[Problem] = []
    checked = claims = false = unread = 0
    with progress_bar("checking") as shown:
        found = with_maps(iter_texts(texts, unchecked.append), source, where=texts, on_problem=unchecked.append)
        for record, saliency in found:
            try:
                report = check_text(record.text, saliency, record.claims)
            except UsageError as error:
                unchecked.append(Problem(texts, str(error), record.line, record.id))
                continue
            checked, claims, unread = checked + 1, claims + len(report.claims), unread + len(report.unread)
            false += len(report.errors)
            for falsehood in report.errors:
                table.add_row(record.id, falsehood.kind, falsehood.message)
            if as_json:
                sys.stdout.write(json.dumps({"id": record.id, **report.to_record()}, ensure_ascii=False) + "\n")
            shown(checked, None)
    if not as_json:
        console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
        if false:
            console.print(table)
        share = f", precision {1 - false / claims:.1%}" if claims else ""
        console.print(f"{counted(checked, 'text')}, {counted(claims, 'statement')}, {false} false{share}")
        if unread:
            console.print(f"{counted(unread, 'sentence')} about the evidence can't be read as a claim; see --json")
    source.finish(("not checked", unchecked))
    if false:
        raise typer.Exit(1)
