"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.read.clause import Clause

Scope: TypeAlias = Literal["predicate", "clause", "tail", "rider"]


@dataclass(frozen=True)
class Rule:
    """A form of statement.

    Args:
        name: names the rule in `saywhy check --why`.
        pattern: a pattern over word classes (see `grammar.notation`); it has to match a clause from its first word to its last.
        claim: makes the claims of a clause that matches. It raises `Unclear` if the clause can't be read after all.
        says: the telling word classes (see `clause.TELLING`) that the pattern uses without capturing them, because the rule
            as a whole says what they say. Any other telling word must be captured, or the clause is not read.
        scope: "predicate": what is said of a subject, which stands before it or is known from the clause before; "clause": a
            whole clause; "tail": an addition to the clause before it; "rider": one that draws a conclusion and is not read.
        examples: sentences that the rule reads, about the map of the tests.
        counter_examples: sentences like them that must not be read.
    """

    name: str
    pattern: str
    claim: Callable[[Clause], None]
    scope: Scope = "predicate"
    says: tuple[str, ...] = field(default=(), kw_only=True)
    examples: tuple[str, ...] = field(default=(), kw_only=True)
    counter_examples: tuple[str, ...] = field(default=(), kw_only=True)
