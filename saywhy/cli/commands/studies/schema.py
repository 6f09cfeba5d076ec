"""`saywhy study schema`: the JSON schema of study.yaml, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note, show_data
from saywhy.cli.options.files import Use, hold

HELP = (
    "Write the JSON schema of study.yaml.\n\n"
    "Editors complete and check the file as you type with a first line such as "
    "# yaml-language-server: $schema=study.schema.json.\n\n"
    "[bold]Example:[/bold] saywhy study schema --out study/study.schema.json\n\n"
    "[bold]Exit status:[/bold] 0 done; 2 the command could not run to its end.\n"
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="schema", help=HELP)(schema)


def schema(
    out: Annotated[
        Path | None, typer.Option(help="JSON file; printed if not given.", metavar="FILE", show_default=False), Use.WRITTEN
    ] = None,
) -> None:
    """Write the schema."""
    from evals.study.design.writing import schema_text
    from saywhy_core.disk.files import atomic_open

    hold(out, "schema")
    text = schema_text()
    if out is None:
        show_data(text)
        return
    with atomic_open(out) as stream:
        stream.write(text)
    note(f"wrote {out}")
