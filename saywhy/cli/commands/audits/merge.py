"""`saywhy audit merge`: shards of one audit become one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import counted, note
from saywhy.cli.options.files import Use

HELP = (
    "Put shards of one audit together: the same target and settings, other images, audited on other machines.\n\n"
    "An image that several shards hold must have the same result in all. The shards stay as they are.\n\n"
    "[bold]Example:[/bold] saywhy audit merge shard-1 shard-2 shard-3 --out audit\n\n"
    "[bold]Exit status:[/bold] 0 all images are there; 2 the shards are not of one audit, or hold two results for an image; "
    "130 it was interrupted.\n"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="merge", help=HELP)(merge)


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Folders of audits, two or more.", metavar="SHARDS...", file_okay=False)],
    out: Annotated[Path, typer.Option(help="The new folder for the merged audit."), Use.FOLDER_WRITTEN],
) -> None:
    """Merge shards."""
    from adversarial.audit.comparing import merge_audits

    found = merge_audits(shards, out)
    note(f"{counted(found.images, 'image')} of {counted(len(shards), 'shard')} in {out}")
    if found.repeated:
        note(f"{counted(found.repeated, 'image')} in more than one shard, with the same result")
    if found.alike:
        alike = f"{counted(found.alike, 'image')} with the same pixels as another one of another file or place"
        note(f"{alike}: each counts, so that such pictures weigh more", style="yellow")
    if found.renamed:
        note(f"{counted(found.renamed, 'image')} renamed, because another shard had the name")
    if len(found.releases) > 1:
        note(f"the shards were written by different releases of saywhy: {', '.join(found.releases)}", style="yellow")
    if found.waiting:
        note(f"{counted(found.waiting, 'image')} still to be attacked: go on by saywhy audit run {out}", style="yellow")
