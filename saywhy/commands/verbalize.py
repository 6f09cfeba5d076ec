"""`saywhy verbalize`: maps in, sentences out."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from saywhy import _reading as reading

HELP = """Put saliency maps into words: one JSON object a line with version, id, style, text, claims, coverage.

Every sentence is true of its map: it is made from claims that are checked against it. No language model is needed.

[bold]Example:[/bold] saywhy verbalize maps.jsonl --style plain --max-words 12 --out texts.jsonl
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="verbalize", help=HELP)(verbalize)


def verbalize(
    maps: reading.MapsArgument,
    out: Annotated[str, typer.Option(help="JSON Lines file to write; - for standard output.")] = "-",
    style: Annotated[str, typer.Option(help="plain, smv (the published templates), or narrate (a language model).")] = "plain",
    max_words: Annotated[int, typer.Option(min=1, help="Words that may be named in all.")] = 12,
    max_spans: Annotated[int, typer.Option(min=1, help="Parts that may be named.")] = 3,
    mask_labels: Annotated[bool, typer.Option(help="Hide the labels, for studies in which people guess them.")] = False,
    format: reading.FormatOption = "auto",  # noqa: A002
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    class_names: reading.ClassNamesOption = None,
    tokenizer: reading.TokenizerOption = None,
    image: reading.ImageOption = None,
) -> None:
    """Put maps into words."""
    from agents._files import atomic_open
    from verbalize.template import TemplateVerbalizer

    verbalizer = TemplateVerbalizer(max_words=max_words, max_spans=max_spans, style=style, mask_labels=mask_labels)
    source = reading.MapReader(maps, format, label, tuple(versus or ()), class_names, tokenizer, image)
    with nullcontext(sys.stdout) if out == "-" else atomic_open(out) as stream, reading.progress("verbalizing") as bar:
        for saliency in source:
            stream.write(json.dumps(verbalizer.verbalize(saliency).to_record(), ensure_ascii=False) + "\n")
            reading.advance(bar)
    if out != "-":
        reading.stderr.print(f"{source.count} texts written to {out}", soft_wrap=True)
    source.finish()
