"""`saywhy convert`: maps from any tool's file to saywhy's own JSON Lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import Saliency

HELP = """Read saliency maps from another tool's file and write them as JSON Lines.

Reads saywhy's own JSON Lines, inseq JSON, Thermostat records, lists of (word, score) in JSON, CSV and TSV, grey PNG and NPY.
Objects in memory (captum, shap, ferret) are read in Python: `verbalize.read_saliency(object)`.

[bold]Example:[/bold] saywhy convert scores.csv --label positive --out maps.jsonl
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="convert", help=HELP)(convert)


def convert(
    maps: reading.MapsArgument,
    out: Annotated[str, typer.Option(help="JSON Lines file to write; - for standard output.")] = "-",
    format: reading.FormatOption = "auto",  # noqa: A002
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    class_names: reading.ClassNamesOption = None,
    tokenizer: reading.TokenizerOption = None,
    image: reading.ImageOption = None,
) -> None:
    """Read maps, write maps."""
    from verbalize.formats import to_record, write_saliency

    source = reading.MapReader(maps, format, label, tuple(versus or ()), class_names, tokenizer, image)
    with progress_bar("converting") as bar:

        def counted() -> Iterator[Saliency]:
            for saliency in source:
                bar.advance()
                yield saliency

        if out == "-":
            for saliency in counted():
                sys.stdout.write(json.dumps(to_record(saliency), ensure_ascii=False) + "\n")
        else:
            count = write_saliency(counted(), Path(out))
    if out != "-":
        reading.stderr.print(f"{count} maps written to {out}", soft_wrap=True)
    source.finish()
