"""`saywhy study export`: a study for another platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import end_with, note
from saywhy.cli.options.files import Use

HELP = (
    "Write a study in the form of another platform. What the platform can't do of it is told, and what is to be done there.\n\n"
    "PLATFORM is static (a folder for any web host), jatos (an archive for JATOS, PLACE.jzip), potato (a project folder), "
    "label-studio (a project per cell), qualtrics (a text file to import), or csv (a table per cell). For static and jatos, "
    "run saywhy study assets before.\n\n"
    "No file that participants can load holds right answers to trials, or names of items. Give what the platform gives back, "
    "and the study, to saywhy study analyze.\n\n"
    "[bold]Example:[/bold] saywhy study export study --to jatos --out study.jzip\n\n"
    "[bold]Exit status:[/bold] 0 the export is written; 1 it is, and the study is not sound; 2 the command "
    "could not run to its end.\n"
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="export", help=HELP)(export)


def export(
    directory: Annotated[Path, typer.Argument(help="The study's folder.", metavar="STUDY", file_okay=False)],
    to: Annotated[str, typer.Option(help="The platform.", metavar="PLATFORM")],
    out: Annotated[Path, typer.Option(help="The new folder; for jatos, the new file.", metavar="PLACE"), Use.PLACE_WRITTEN],
) -> None:
    """Export a study."""
    from evals.study.exports import export_study
    from evals.study.folder import open_study

    notes = export_study(directory, to, out)
    note(f"wrote the study for {to} to {out}")
    for sentence in notes:
        note(f"- {sentence}")
    end_with(directory, open_study(directory).problems)
