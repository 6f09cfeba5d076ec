"""What commands say on standard error, and the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

stderr = Console(stderr=True, highlight=False)


def note(text: object) -> None:
    """Say something on standard error, in one line however long it is."""
    stderr.print(str(text), soft_wrap=True, markup=False)


def counted(number: int, what: str) -> str:
    """A number of things in words: "1 map", "2 maps"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def finish(*problems: tuple[str, Iterable[object]]) -> None:
    """Print each problem on a line behind what became of it, and end with status 1 where there is any.

    Args:
        problems: (what became of the records, such as "not read"; the problems) pairs.
    """
    told = False
    for became, found in problems:
        for problem in found:
            stderr.print(f"{became}: {problem}", style="red", soft_wrap=True, markup=False)
            told = True
    if told:
        raise typer.Exit(1)
