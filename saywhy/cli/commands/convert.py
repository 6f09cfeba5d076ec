"""`saywhy convert`: maps from any tool's file to saywhy's own JSON Lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from saywhy.cli.options.console import counted, note, show_data
from saywhy.cli.options.groups import with_groups
from saywhy.cli.options.maps import MapsArgument, OutOption, ReadingOptions
from saywhy_core.errors import Problem
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import Saliency

HELP = """Read saliency maps from another tool's file and write them as JSON Lines.

Reads saywhy's own JSON Lines, inseq JSON, Thermostat records, lists of (word, score) in JSON, CSV and TSV, grey PNG,
and arrays of pixels in NPY, NPZ and PT: one map or several, with or without channels.
Objects in memory (captum, shap, ferret, DIANNA, tensors) are read in Python: `verbalize.read_saliency(object)`.

[bold]Example:[/bold] saywhy convert scores.csv --label positive --out maps.jsonl

[bold]Exit status:[/bold] 0 all records were converted; 1 some could not be read; 2 the command could not run;
130 it was interrupted.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="convert", help=HELP)(with_groups(convert))


def convert(maps: MapsArgument, reading: ReadingOptions, out: OutOption = "-") -> None:
    """Read maps, write maps."""
    from saywhy_core.reading.records import one_by_one
    from verbalize.formats import to_record, write_saliency

    source = reading.read(maps)
    unwritten: list[Problem] = []
    with progress_bar("converting") as shown:

        def shown_one_by_one() -> Iterator[Saliency]:
            for saliency in source:
                shown(source.count, None)
                yield saliency

        if out == "-":
            for _, record in one_by_one(
                shown_one_by_one(),
                to_record,
                lambda saliency, what: Problem(maps, what, id=saliency.saliency_id),
                unwritten.append,
                what="it can't be written",
            ):
                show_data(json.dumps(record, ensure_ascii=False) + "\n")
        else:
            write_saliency(shown_one_by_one(), out)
    if out != "-":
        note(f"{counted(source.count, 'map')} written to {out}")
    source.finish(("not written", unwritten))
