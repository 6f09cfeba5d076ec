"""`saywhy study assets`: jsPsych for a study's pages, fetched once with npm or copied from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note

HELP = (
    "Put jsPsych into a study's folder: its pages load it from the study's own server, and nobody else sees who takes part.\n\n"
    "npm fetches exactly the versions that saywhy knows, without running any script of theirs. On a machine without npm or "
    "network, name a folder with --from. Every file is held against its SHA-512, here and whenever the study is served.\n\n"
    "[bold]Example:[/bold] saywhy study assets study\n\n"
    "[bold]Exit status:[/bold] 0 done; 2 a file is missing, or is not the one that was expected.\n"
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="assets", help=HELP)(assets)


def assets(
    directory: Annotated[Path, typer.Argument(help="The study's folder.", metavar="STUDY", file_okay=False)],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Copy from this folder: a node_modules, or the assets of another study. npm fetches the files if not given.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Fetch or copy the files."""
    from evals.study.pages import fetch_assets

    files = fetch_assets(directory, source=source)
    note(f"{len(files)} files of jsPsych are in {files[0].parent}")
