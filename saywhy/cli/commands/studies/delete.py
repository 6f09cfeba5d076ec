"""`saywhy study delete`: what a participant answered, deleted on request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use

HELP = """Delete everything that a participant answered, by the code that the participant was shown.

[bold]Example:[/bold] saywhy study delete study YZ229QW2KK

It works while the study is served, too. That somebody of this cell withdrew is all that stays in the database; the bytes are
overwritten. Tables that were downloaded before are not touched.

[bold]Exit status:[/bold] 0 it is deleted; 2 no participant has this code, or the database can't be used.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="delete", help=HELP)(delete)


def delete(
    study: Annotated[Path, typer.Argument(help="The study's folder.", metavar="STUDY", file_okay=False), Use.FOLDER_WRITTEN],
    code: Annotated[str, typer.Argument(help="The participant's code.", metavar="CODE")],
) -> None:
    """Delete a participant."""
    from evals.study.folder import open_study
    from evals.study.server.store import forget

    forget(open_study(study), code)
    note(f"everything of participant {code} is deleted")
