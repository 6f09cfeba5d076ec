"""`saywhy evaluate wording`: truth, coverage, omissions, length and readability of texts about maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note, show, show_data
from saywhy.cli.options.explained import EXPLAINED_OPTIONS, MODEL_FORMS, ExplainedOptions
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import ReadingOptions
from saywhy.cli.options.texts import MapsOption, TextsArgument, name_of_texts, pair_texts
from saywhy_core.errors import Problem

HELP = f"""Measure texts against the maps that they are about, whoever wrote them.

TEXTS is JSON Lines with `text` and `id` (of the map), or one plain text. Texts without ids belong to the maps in their order.
Prints the summary; --out writes one row per text as CSV.

With [bold]--model MODEL[/bold] the model that the maps explain decides what texts say of changed inputs and of its prediction;
what is false of changed inputs is in the column [bold]wrong effect[/bold]. {MODEL_FORMS}

[bold]Example:[/bold] saywhy evaluate wording texts.jsonl --maps maps.jsonl

[bold]Exit status:[/bold] 0 all texts were measured; 1 some records were left out; 2 the command could not run;
130 it was interrupted.
"""


RULES = (
    Rule(
        tuple(name for name in EXPLAINED_OPTIONS if name != "model_spec"),
        "--model: without it the model that the maps explain is not run",
        lambda options: options["model_spec"] is not None,
    ),
)


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command(name="wording", help=HELP)(with_groups(wording, RULES))


def wording(
    texts: TextsArgument,
    maps: MapsOption,
    reading: ReadingOptions,
    explained: ExplainedOptions,
    k: Annotated[int, typer.Option(min=1, help="Words that the column coverage_at_k looks at.")] = 5,
    out: Annotated[Path | None, typer.Option(help="CSV file to write, one row per text."), Use.WRITTEN] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Measure the wording of texts."""
    from evals.wording import evaluate
    from saywhy_core.disk.files import atomic_open

    source = reading.read(maps)
    left_out: list[Problem] = []
    found = pair_texts(name_of_texts(texts, None, maps), None, source, left_out)
    hold(out, "table")
    opened = None
    if explained.model_spec is not None:
        opened = explained.open()
        note(f"{explained.model_spec} is run on each input, and on each changed input that a text speaks of")
    table = evaluate([record.text for record, _ in found], [saliency for _, saliency in found], k=k, model=opened)
    if as_json:
        show_data(json.dumps(table.summary) + "\n")
    else:
        for name, value in table.summary.items():
            shown = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
            show(f"{name:28}{shown}")
    if out and found:
        with atomic_open(out) as stream:
            stream.write(table.to_csv())
    source.finish(("not measured", left_out))
