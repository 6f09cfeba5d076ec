"""Errors that a user can put right, and records that could not be used."""

from __future__ import annotations

from dataclasses import dataclass


class UsageError(ValueError):
    """An error that the user can fix. Its text says in one sentence what was wrong, where, and what to do."""


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

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.where}{line}{f', id {self.id}' if self.id else ''}: {self.what}"
