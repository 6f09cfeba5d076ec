"""Errors that a user can put right, and records that could not be used."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Spell = Callable[[str, object], str]

_ARGUMENT = re.compile(r"\[(\w+)(?:=([^\]]*))?\]")


def _in_python(name: str, value: object) -> str:
    return name if value is None else f"{name}={'...' if value is ... else value if isinstance(value, Bare) else repr(value)}"


_spell: Spell = _in_python


class Bare(str):
    """A text that stands in a sentence as it is, without quotes."""

    __slots__ = ()


def argument(name: str, value: object = None) -> str:
    """An argument as the user of this process writes it: `scores='logits'` in Python, `--scores logits` on the command line.

    Args:
        name: as Python calls it.
        value: what is meant by it; `...` for any value, and None for the argument as such.
    """
    return _spell(name, value)


@contextmanager
def arguments_as(spell: Spell) -> Iterator[None]:
    """Let `argument` write in another way inside the block, in all threads: a front end says how its users write."""
    global _spell
    before, _spell = _spell, spell
    try:
        yield
    finally:
        _spell = before


class UsageError(ValueError):
    """An error that the user can fix. Its text says in one sentence what was wrong, where, and what to do.

    Secrets that this process knows (`saywhy_core.secrets`) never stand in it.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(redact(one) if isinstance(one, str) else one for one in args))


class ArgumentError(UsageError):
    """Arguments of a Python function that do not go together, told in words that another front end can spell its own way.

    Args:
        message: the text for Python users, with Python's spelling of the arguments.
        pattern: the same in other words, with each argument in square brackets: `[density]`, or `[distance=l2]` with a value.
    """

    def __init__(self, message: str, pattern: str) -> None:
        super().__init__(message)
        self.pattern = redact(pattern)

    def spelled(self, spell: Callable[[str, str | None], str]) -> str:
        """The pattern with each argument as `spell(name, value)` writes it; the value is None where none is meant."""
        return _ARGUMENT.sub(lambda found: spell(found[1], found[2]), self.pattern)


class BudgetExceeded(UsageError):  # noqa: N818 - the name says what happened
    """The next step would have exceeded a limit that the user set, and was not taken."""


@dataclass(frozen=True)
class Problem:
    """A record that could not be used, while the others go on.

    Attributes:
        where: the file or source that holds the record.
        what: what is wrong with it, in words.
        line: the record's line in the source, counted from 1; None if the source has no lines.
        id: the record's id, if it has one.
    """

    where: str
    what: str
    line: int | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        for name in ("where", "what", "id"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, redact(value))

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.where}{line}{f', id {self.id}' if self.id else ''}: {self.what}"
