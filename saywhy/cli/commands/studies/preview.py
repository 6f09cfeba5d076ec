"""`saywhy study preview`: what participants of each cell and condition see, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import end_with, note
from saywhy.cli.options.files import Use

HELP = """Write preview.html: what a participant of each cell sees, page by page, and one item under every condition, with the
right answers marked for the researcher. It needs no server.

[bold]Example:[/bold] saywhy study preview study

[bold]Exit status:[/bold] 0 the page is written; 2 the command could not run to its end.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="preview", help=HELP)(preview)


def preview(
    directory: Annotated[Path, typer.Argument(help="Folder of the study.", metavar="STUDY", file_okay=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder or .html file to write to, with copies of the pictures beside it; STUDY if not given.",
            show_default=False,
        ),
        Use.PLACE_WRITTEN,
    ] = None,
) -> None:
    """Write the preview."""
    from evals.study.building import write_preview
    from evals.study.folder import open_study

    study = open_study(directory)
    note(f"wrote {write_preview(study, out)}")
    end_with(study.folder, study.problems)
