"""The `saywhy` command: one file a subcommand in `saywhy.cli.commands`, gathered here."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from saywhy_core.errors import UsageError

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
HELP = """Say in words why a model decided, check the words against the evidence, and test by attack whether the decision holds.

[bold]Start with:[/bold] saywhy demo --out demo
"""

app = typer.Typer(
    name="saywhy",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from saywhy import __version__

        typer.echo(f"saywhy {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; what the user can put right is printed as one sentence, with exit status 2."""
    for name in COMMANDS:
        import_module(f"saywhy.cli.commands.{name}").register(app)
    console = Console(stderr=True, highlight=False)
    try:
        app()
    except UsageError as error:
        console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; saying so would only fail again
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted; finished work is kept where the command can go on")
        sys.exit(130)
