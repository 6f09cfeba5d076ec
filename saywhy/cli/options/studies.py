"""What the commands of `saywhy study` tell about a study that is not sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from saywhy.cli.options.console import note

if TYPE_CHECKING:
    from evals.study.folder import Study


def end_with_problems(study: Study) -> None:
    """Tell what is wrong with a study's items, and end with status 1 where something is.

    Raises:
        typer.Exit: with status 1.
    """
    for said in study.problems:
        note(f"{study.folder}: {said}", style="yellow")
    if study.problems:
        raise typer.Exit(1)
