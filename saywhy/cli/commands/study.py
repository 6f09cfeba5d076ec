"""`saywhy study`: the commands that design, run and analyse a study of explanations with people."""

from __future__ import annotations

from importlib import import_module

import typer

HELP = """Studies with people: which explanations let them say what a model decided?

[bold]Example:[/bold] saywhy study build maps.jsonl --conditions heatmap,plain,none --labels negative,positive --out study

then [bold]preview[/bold], [bold]simulate[/bold] and [bold]power[/bold] before anybody is paid, [bold]serve[/bold] or
[bold]export[/bold], and [bold]analyze[/bold].

[bold]Exit status:[/bold] 0 done; 1 some records could not be used, or a check failed; 2 the command could not run to its end;
130 it was interrupted: [bold]serve[/bold] keeps what people answered.
"""

PARTS: tuple[str, ...] = (
    # one name per line, in the order in which people need them
    "build",
    "preview",
    "assets",
    "power",
    "preregister",
    "schema",
    "simulate",
    "serve",
    "export",
    "analyze",
    "delete",
)


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    for name in PARTS:
        import_module(f"saywhy.cli.commands.studies.{name}").register(group)
    app.add_typer(group, name="study", help=HELP)
