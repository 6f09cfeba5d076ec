"""The `saywhy` command: one file per subcommand in `saywhy.cli.commands`, gathered here."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
import warnings
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.command import Command, ReaderGoneError, begin, status_after, tell_stop
from saywhy.cli.options.ceilings import with_ceilings
from saywhy.cli.options.console import fail, note, note_lines, prepare, show
from saywhy.cli.options.settings import KEYS_GO, SECRET, WRONG_WORDS, with_settings
from saywhy_core.bounded.watched import left_behind
from saywhy_core.disk.troubles import FULL, GONE
from saywhy_core.errors import UsageError
from saywhy_core.secrets import keep_environment_secrets
from saywhy_core.stopping import received, signals_raise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMANDS = (
    "demo",
    "attribute",
    "verbalize",
    "check",
    "convert",
    "picture",
    "target",
    "attack",
    "audit",
    "study",
    "describe",
    "classify",
    "improve",
    "evaluate",
    "doctor",
)
HELP = """Say in words why a model decided, check the words against the evidence, and test by attack whether the decision holds.

[bold]Start with:[/bold] saywhy demo --out demo

[bold]Exit status:[/bold] 0 done; 1 some records could not be used, or something false was found; 2 the command could not run
to its end: wrong usage, a ceiling of the run was reached, or saywhy itself failed; 130 interrupted from the keyboard; 143
stopped by SIGTERM; 129 by the end of the terminal (SIGHUP).
"""
TRACEBACK = "SAYWHY_TRACEBACK"
"""The environment variable that shows where saywhy itself failed."""


def _version(wanted: bool) -> None:
    if wanted:
        from saywhy import __version__

        show(f"saywhy {__version__}")
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
    """Make each command a `Command` with ceilings, and put each paragraph of a help text on one line."""
    for command in app.registered_commands:
        command.cls = Command
        if command.callback is not None:
            command.callback = with_settings(with_ceilings(command.callback))
    registered: list[Any] = [*app.registered_commands, *app.registered_groups]
    for one in registered:
        if isinstance(one.help, str):
            one.help = re.sub(r"(?<!\n)\n(?!\n|$)", " ", one.help)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _prepare(group.typer_instance)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; what went wrong is printed as one sentence, and the exit status tells.

    Args:
        arguments: the words of the command line after `saywhy`; those of this process by default.

    Raises:
        SystemExit: always where something went wrong: 1 some records could not be used or something false was found, 2 the
            command could not run to its end, 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
    """
    prepare()
    keep_environment_secrets()
    with _warnings_told():
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        status = _flushed(status)
    if left_behind():  # it could hold up the end of the process for ever, or let it crash
        os._exit(status)
    if status:
        sys.exit(status)


def _run(words: list[str]) -> int:
    # a command that is named first is loaded alone: the others would only cost time
    begin()
    commands = [words[0]] if words and words[0] in COMMANDS else COMMANDS
    try:
        app = build(commands)
        with signals_raise("its work was done, but the end of its output may be missing"):
            return status_after(int(app(words, prog_name="saywhy", standalone_mode=False) or 0))
    except KeyboardInterrupt as stop:  # while the command was loaded, or once more while it ends
        return tell_stop(stop)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what nobody foresaw is told in a sentence, too
        stopped = received()  # what is raised after a stop comes of it, such as a module that was imported by half
        if stopped is None:
            return _told(error)
        if os.environ.get(TRACEBACK):
            note_lines("".join(traceback.format_exception(error)).rstrip())
        return tell_stop(stopped)


def _told(error: BaseException) -> int:
    """Say what ended the run, and return its exit status."""
    if isinstance(error, WRONG_WORDS):
        return _wrong_words(error)
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, (BrokenPipeError, ReaderGoneError)):
        return _reader_gone()
    if isinstance(error, UsageError):
        for one in getattr(error, "sentences", (error,)):  # a file with several errors tells each on a line
            fail(one)
    elif isinstance(error, OSError):
        fail(_file_trouble(error) or _own_failure(error))
    elif isinstance(error, MemoryError):
        fail("there is not enough memory; give smaller inputs, or lower the ceilings (--ceiling)")
    else:
        fail(_own_failure(error))
    return 2


def _wrong_words(error: Any) -> int:
    """Say what is wrong with the words of the command line; without any words, show the help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    command = "saywhy" if context is None else context.command_path
    said = " ".join(error.format_message().split()).rstrip(".")
    if SECRET.fullmatch(str(getattr(error, "option_name", ""))) and type(error).__name__ == "NoSuchOption":
        said = f"{said}; {KEYS_GO}"
    fail(f"{said}; see {command} --help")
    return int(error.exit_code)


def _file_trouble(error: OSError) -> str | None:
    """What is wrong with a file; None where it is no matter of a file."""
    if error.filename is None and error.errno not in (*FULL, *GONE, errno.EBADF):
        return None
    where = "the output" if error.filename is None else str(error.filename)
    return f"{where} can't be used: {error.strerror or error}"


def _own_failure(error: BaseException) -> str:
    """The sentence for a mistake in saywhy itself, and with `TRACEBACK` set where it happened."""
    if os.environ.get(TRACEBACK):
        note_lines("".join(traceback.format_exception(error)).rstrip())
        return f"saywhy itself failed ({type(error).__name__}); please report it with the lines above"
    why = " ".join(str(error).split())[:300]
    return (
        f"saywhy itself failed ({type(error).__name__}{f': {why}' if why else ''}); please report it, "
        f"with what {TRACEBACK}=1 before the command shows"
    )


def _flushed(status: int) -> int:
    """Hand over what is left of the output, and tell where that fails: Python itself would tell it with a traceback."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        _let_go(sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except (OSError, ValueError) as error:  # ValueError: it was closed from the start
        if status != 2 and isinstance(error, OSError):
            fail(_file_trouble(error) or f"the output can't be used: {error}")
        _let_go(sys.stdout)
        return 2
    return status


def _reader_gone() -> int:
    """The reader of our output has gone, as after `| head`; saying so would only fail again."""
    _let_go(sys.stdout)
    return 2


def _let_go(stream: Any) -> None:
    """Let what the stream still holds be lost in silence when the process ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Print warnings as one sentence each, without places in the source."""
    before = warnings.showwarning

    def told(message: Any, *_: Any) -> None:
        note(f"warning: {message}")

    warnings.showwarning = told  # type: ignore[assignment]  # it takes whatever the other one takes
    try:
        yield
    finally:
        warnings.showwarning = before
