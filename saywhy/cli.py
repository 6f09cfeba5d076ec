"""The `saywhy` command: one file a subcommand in `saywhy.commands`, gathered here."""

from __future__ import annotations

import sys
from importlib import import_module

import typer
from rich.console import Console

from agents._errors import UsageError

COMMANDS = (
    "demo",
    "verbalize",
    "check",
    "convert",
    "picture",
    "attack",
    "describe",
    "classify",
    "improve",
    "evaluate",
    "doctor",
)

app = typer.Typer(
    name="saywhy",
    help="Say in words why a model decided, check the words against the evidence, and test by attack whether the decision holds.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command; what the user can put right is printed as one sentence, with exit status 2."""
    for name in COMMANDS:
        import_module(f"saywhy.commands.{name}").register(app)
    try:
        app()
    except UsageError as error:
        Console(stderr=True, highlight=False).print(f"[red]error:[/red] {error}", markup=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        sys.exit(130)
