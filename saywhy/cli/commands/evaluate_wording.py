"""`saywhy evaluate wording`: truth, coverage, omissions, length and readability of texts about maps."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy_core.errors import Problem
from saywhy_core.files import atomic_open

HELP = """Measure texts against the maps they speak of, whoever wrote them.

TEXTS is JSON Lines with `id` and `text`. Prints the summary; --out writes a row a text as CSV.

[bold]Example:[/bold] saywhy evaluate wording texts.jsonl --maps maps.jsonl
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command(name="wording", help=HELP)(wording)


def wording(
    texts: Annotated[str, typer.Argument(help="JSON Lines with id and text; - for standard input.", metavar="TEXTS")],
    maps: Annotated[str, typer.Option(help="File of the saliency maps.")],
    k: Annotated[int, typer.Option(min=1, help="Words that coverage_at_k looks at.")] = 5,
    out: Annotated[Path | None, typer.Option(help="CSV file to write, a row a text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    format: reading.FormatOption = "auto",  # noqa: A002
) -> None:
    """Measure the wording of texts."""
    from evals.wording import evaluate

    source = reading.MapReader(maps, format, label, tuple(versus or ()))
    by_id = {saliency.saliency_id: saliency for saliency in source}
    said, of = [], []
    for line, record in reading.text_records(texts, source.problems):
        saliency = by_id.get(str(record["id"]))
        if saliency is None:
            source.problems.append(Problem(texts, f"there is no map of this id in {maps}", line, str(record["id"])))
            continue
        said.append(record["text"])
        of.append(saliency)
    table = evaluate(said, of, k=k)
    if as_json:
        sys.stdout.write(json.dumps(table.summary) + "\n")
    else:
        for name, value in table.summary.items():
            shown = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
            sys.stdout.write(f"{name:28}{shown}\n")
    if out:
        with atomic_open(out) as stream:
            stream.write(table.to_csv())
    reading.tell_problems(source.problems, len(said))
