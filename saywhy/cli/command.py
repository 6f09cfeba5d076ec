"""What every subcommand does before and around its work: it looks at its output, and tells an interruption."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from saywhy.cli.options.console import note
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRITTEN = ("out", "cache", "replies")
"""The options that name what a command writes."""
FOLDERS = ("attack", "demo", "picture")
"""The commands that write a folder."""
READ_AS_TEXT = ("maps", "texts")
"""Arguments that are texts to the command line, because "-" stands for standard input; all others are paths."""
GOES_ON = {
    "attack": "the results in OUT are kept, and the same command goes on with the other images",
    "describe": "the descriptions in OUT are kept, and the same command goes on with the other pairs",
    "improve": "what was searched is kept, and the same command goes on with it",
    "picture": "the pictures in OUT are kept; the same command draws all again",
}


class Command(TyperCommand):
    """A subcommand that refuses an output that is an input or can't be written, and says what an interruption leaves."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            UsageError: an output is one of the inputs, is a folder in the place of a file, or can't be written.
            typer.Exit: with status 130, where the command was interrupted from the keyboard.
        """
        check_outputs(ctx.params, folder=ctx.info_name in FOLDERS)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            note(f"interrupted: {_left(str(ctx.info_name), ctx.params)}")
            raise typer.Exit(130) from None


def check_outputs(options: Mapping[str, Any], *, folder: bool = False) -> None:
    """Find out before any work whether the outputs of a command can be written, and are none of its inputs.

    Args:
        options: the values of the command's options by parameter name.
        folder: whether the command writes a folder.

    Raises:
        UsageError: they can't, or one is (also through a link).
    """
    for name in WRITTEN:
        if options.get(name) is None or str(options[name]) == "-":
            continue
        path = Path(options[name])
        for other, read in _inputs(options):
            if other != name and _same(path, read):
                raise UsageError(f"--{name} {path} is the same file as {other} {read}; name another file to write")
        if path.is_dir() and not (folder and name == "out"):
            raise UsageError(f"--{name} {path} is a folder; name a file")
        above = next(one for one in path.absolute().parents if os.path.lexists(one))
        above = path if path.is_dir() else above
        if not above.is_dir():
            raise UsageError(f"--{name} {path} can't be written to: {above} is not a folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise UsageError(f"--{name} {path} can't be written to: permission denied in {above}")


def _inputs(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, Path) or (isinstance(one, str) and name in READ_AS_TEXT and one != "-"):
                yield name, Path(one)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        return one.resolve() == other.resolve()


def _left(command: str, options: Mapping[str, Any]) -> str:
    if command == "verbalize" and options["llm"] is not None and options["out"] != "-":
        return "the finished texts are kept beside OUT, and the same command goes on with the other maps"
    return GOES_ON.get(command, "no output file was written")
