"""`saywhy study preregister`: the design, hypotheses and analysis as a preregistration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import end_with, note, show_data
from saywhy.cli.options.files import Use, hold

HELP = (
    "Write the design, hypotheses and analysis of a study as a preregistration, in the sections of the OSF's form.\n\n"
    "What study.yaml does not say, such as where participants are found, is marked to be filled in. With --effect, the "
    "sample size is founded on a simulation; see [bold]saywhy study power[/bold].\n\n"
    "[bold]Example:[/bold] saywhy study preregister study --effect 0.1 --out preregistration.md\n\n"
    "[bold]Exit status:[/bold] 0 done; 1 it is written, and the study is not sound; 2 the command could not run to its end.\n"
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="preregister", help=HELP)(preregister)


def preregister(
    study: Annotated[Path, typer.Argument(help="The study's folder.", metavar="STUDY", file_okay=False)],
    out: Annotated[
        Path | None, typer.Option(help="Markdown file; printed if not given.", metavar="FILE", show_default=False), Use.WRITTEN
    ] = None,
    effect: Annotated[
        list[float] | None,
        typer.Option(help="An effect whose power founds the sample size (repeatable).", show_default=False),
    ] = None,
) -> None:
    """Write a preregistration."""
    from evals.study.folder import open_study
    from evals.study.power import power
    from evals.study.power.estimating import SIZES
    from evals.study.registering import preregistration
    from saywhy_core.disk.files import atomic_open

    hold(out, "preregistration")
    opened = open_study(study)
    planned = opened.file.design.participants
    sizes = sorted({planned, *(size for size in SIZES if size <= 2 * planned)} - {1})
    text = preregistration(opened, [power(opened, one, participants=sizes) for one in effect or ()])
    if out is None:
        show_data(text)
    else:
        with atomic_open(out) as stream:
            stream.write(text)
        note(f"wrote {out}")
    end_with(opened.folder, opened.problems)
