"""The one module that prints: notes and errors on standard error, answers on standard output, and the exit status.

Texts of users and servers may hold markup, characters that a terminal obeys, and keys. They are printed as plain text, with
such characters escaped and keys taken out; tests/saywhy/test_printing.py sees to it that nothing is printed elsewhere.
"""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from saywhy.cli.streams import open_streams
from saywhy_core.legible import legible, legible_lines, write_out
from saywhy_core.reading.ceilings import ceiling
from saywhy_core.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST = 800
"""Characters of a line on standard error: four times what a sentence has."""
LONGEST_WORD = 400
"""Characters of a line without a space, such as a path or a value: more than a file's name may have."""
_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # the error that is being handled; rich itself would end the process with status 1


stderr = _Console(stderr=True, highlight=False, markup=False, emoji=False)
_stdout = _Console(highlight=False, markup=False, emoji=False)


def note(text: object, style: str | None = None) -> None:
    """Say something on standard error, in one line whatever it holds: a name with a line end in it makes no second line."""
    _print(stderr, Text(_brief(_one_line(text)), style or ""))


def note_lines(text: object) -> None:
    """Say something of several lines, all of them our own, on standard error."""
    _print(stderr, Text(_several_lines(text)))


def fail(text: object) -> None:
    """Say on standard error, in one line, why the command ends here."""
    _print(stderr, Text.assemble(("error:", "red"), " ", _brief(_one_line(text))))


def show(text: object, style: str | None = None) -> None:
    """Print a line for people to standard output, with its spaces as they are."""
    _print(_stdout, Text(_several_lines(text).replace("\n", "\\n"), style or ""))


def show_lines(text: object) -> None:
    """Print a text of several lines, all of them our own, for people to standard output."""
    _print(_stdout, Text(_several_lines(text)))


def show_data(text: str) -> None:
    """Print text for programs, such as JSON Lines or CSV, to standard output; on a terminal it is made legible."""
    write_out(text)


class Output:
    """Standard output as a stream of text, for what writes to a file or there; see `show_data`."""

    def write(self, text: str) -> int:
        """Write the text, and return its length."""
        write_out(text)
        return len(text)


def on_terminal() -> bool:
    """Whether people read standard output, not a program."""
    return sys.stdout.isatty()


def show_table(rows: Iterable[Sequence[str | tuple[str, str]]]) -> None:
    """Print a table without lines for people to standard output; a cell is a text, or a (text, style) pair."""
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for row in rows:
        cells = (cell if isinstance(cell, tuple) else (cell, "") for cell in row)
        table.add_row(*(Text(_one_line(text), style) for text, style in cells))
    _stdout.print(table)


def counted(number: int, what: str) -> str:
    """A number of things in words: "1 map", "2 maps"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def finish(*problems: tuple[str, Iterable[object]]) -> None:
    """Print each problem on a line behind what became of it, and end with status 1 where there is any.

    Args:
        problems: (what became of the records, such as "not read"; the problems) pairs.
    """
    if tell(*problems):
        raise typer.Exit(1)


def tell(*problems: tuple[str, Iterable[object]]) -> bool:
    """Print each problem on a line behind what became of it; return whether there was any.

    Of each kind, those above the ceiling `problems` are counted on one line: nobody reads 300,000 lines.
    """
    told, most = False, ceiling("problems")
    for became, found in problems:
        number = 0
        for number, problem in enumerate(found, 1):
            if number <= most:
                note(f"{became}: {problem}", style="red")
        if number > most:
            note(f"{became}: {number - most:,} more; --ceiling problems={number} lists them all", style="red")
        told = told or number > 0
    return told


def end_with(where: object, sentences: Sequence[str]) -> None:
    """Tell what is wrong with something that was done all the same, and end with status 1 where there is anything.

    Raises:
        typer.Exit: with status 1.
    """
    for sentence in sentences:
        note(f"{where}: {sentence}", style="yellow")
    if sentences:
        raise typer.Exit(1)


def prepare() -> None:
    """Let standard output and error take any text: what their encoding lacks is written as an escape."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _one_line(text: object) -> str:
    return legible(redact(str(text)))


def _several_lines(text: object) -> str:
    return legible_lines(redact(str(text)))


def _brief(line: str) -> str:
    """A line that nobody would read cut in the middle: a name, or a value of a user or a file, may have any length.

    Long words go first, so that what is said about them, and what to do, stays.
    """
    return _cut(_WORD.sub(lambda word: _cut(word[0], LONGEST_WORD), line), LONGEST)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    head, tail = text[: most // 2], text[-(most // 2) :]
    return f"{head} ... ({len(text) - len(head) - len(tail):,} characters left out) ... {tail}"


def _print(console: Console, text: Text) -> None:
    # where nobody can be told, the work goes on all the same
    with suppress(OSError) if console is stderr else nullcontext():
        if console.is_terminal or "\t" in text.plain:
            console.print(text, soft_wrap=True)
        else:  # the same characters, thirty times as fast
            console.file.write(f"{text.plain}\n")
            console.file.flush()
