"""`saywhy evaluate`: the commands that measure how good texts, maps or prompts are."""

from __future__ import annotations

from importlib import import_module

import typer

HELP = """Measure how good texts, maps or prompts are.

[bold]Example:[/bold] saywhy evaluate wording texts.jsonl --maps maps.jsonl

[bold]Exit status:[/bold] 0 all was measured; 1 some records were left out; 2 the command could not run; 130 it was interrupted.
"""

PARTS = ("evaluate_wording", "evaluate_prompts", "evaluate_maps", "evaluate_agree")


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    for name in PARTS:
        import_module(f"saywhy.cli.commands.{name}").register(group)
    app.add_typer(group, name="evaluate", help=HELP)
