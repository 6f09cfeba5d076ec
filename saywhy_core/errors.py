"""Errors that a user can put right, and records that could not be used."""

from __future__ import annotations

from dataclasses import dataclass


class UsageError(ValueError):
    """Something the user can put right. Its text says in one sentence what was wrong, where, and what to do."""


class BudgetExceeded(UsageError):  # noqa: N818 - the name says what happened
    """A ceiling that the user set would have been passed. What would have passed it was not done."""


@dataclass(frozen=True)
class Problem:
    """A record that could not be used, while the others go on.

    Attributes:
        where: the file or source in which it stands.
        what: what is wrong with it, in words.
        line: its line in the source, counted from 1; None where the source has no lines.
        id: its id, where it has one.
    """

    where: str
    what: str
    line: int | None = None
    id: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.where}{line}{f', id {self.id}' if self.id else ''}: {self.what}"
