"""The three verdicts on a claim: true, false in one of several ways, or undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from verbalize.claims.claim import ErrorKind


@dataclass(frozen=True, slots=True)
class Undecided:
    """The map can neither bear out nor refute the claim. `message` says what is missing."""

    message: str


Falsehood: TypeAlias = "tuple[ErrorKind, str]"  # the kind of the falsehood, and what the map shows instead
Verdict: TypeAlias = "Falsehood | Undecided | None"  # `None`: the claim is true
