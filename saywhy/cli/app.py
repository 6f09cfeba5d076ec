"""The `saywhy` command: one file per subcommand in `saywhy.cli.commands`, gathered here."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from saywhy.cli.command import Command
from saywhy_core.disk.files import FULL
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

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

[bold]Exit status:[/bold] 0 done; 1 some records could not be used, or something false was found; 2 the command could not run
to its end: wrong usage, or a ceiling was reached; 130 interrupted from the keyboard.
"""


def _version(wanted: bool) -> None:
    if wanted:
        from saywhy import __version__

        typer.echo(f"saywhy {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def build(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with these subcommands."""
    app = typer.Typer(
        name="saywhy",
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)
    for name in commands:
        import_module(f"saywhy.cli.commands.{name}").register(app)
    _prepare(app)
    return app


def _prepare(app: typer.Typer) -> None:
    """Make each command a `Command`, and put each paragraph of a help text on one line: typer keeps line breaks."""
    for command in app.registered_commands:
        command.cls = Command
    registered: list[Any] = [*app.registered_commands, *app.registered_groups]
    for one in registered:
        if isinstance(one.help, str):
            one.help = re.sub(r"(?<!\n)\n(?!\n|$)", " ", one.help)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _prepare(group.typer_instance)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; what the user can put right is printed as one sentence, with exit status 2.

    So is a file that can't be used, wherever the system says so.

    Args:
        arguments: the words of the command line after `saywhy`; those of this process by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # a command that is named first is loaded alone: the others would only cost time
    commands = [words[0]] if words and words[0] in COMMANDS else COMMANDS
    console = Console(stderr=True, highlight=False)
    try:
        build(commands)(words, prog_name="saywhy")
    except UsageError as error:
        console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; saying so would only fail again
        sys.exit(1)
    except OSError as error:
        if error.filename is None and error.errno not in FULL:  # no matter of a file: a mistake in the program, or the network
            raise
        where = "the output" if error.filename is None else str(error.filename)
        said = f"{where} can't be used: {error.strerror or error}"
        console.print(f"[red]error:[/red] {escape(said)}", soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:  # while the command was loaded; `Command` tells those during its work
        console.print("interrupted: nothing was done")
        sys.exit(130)
