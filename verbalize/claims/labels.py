"""Whether a claim is about the same question as the map: the same label, contrasted with the same labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim, ErrorKind
    from verbalize.saliency import Query


def wrong_label(claim: Claim, query: Query) -> tuple[ErrorKind, str] | None:
    """The falsehood in the labels that a claim names; `None` if they are those of the query, or if it names none.

    A claim that names the label of a contrastive map must also name the labels that it is contrasted with, because "for A"
    and "for A rather than B" are different questions.
    """
    if claim.label is None or is_mirror(claim, query):
        return None
    names = {name.casefold() for name in (query.label, *query.members)}
    versus = {name.casefold() for name in query.versus}
    said_versus = None if claim.versus is None else {name.casefold() for name in claim.versus}
    asked = f"the map says what speaks for {_framed(query.label, query.versus)}"
    if claim.label.casefold() not in names:
        return "wrong label", f"{asked}, not for '{claim.label}'"
    if versus and said_versus is None:
        return "wrong label", f"{asked}; named alone, '{claim.label}' is another question"
    if said_versus is not None and said_versus != versus:
        return "wrong label", f"{asked}, not for {_framed(claim.label, claim.versus or ())}"
    return None


def is_mirror(claim: Claim, query: Query) -> bool:
    """Whether the claim is about "B rather than A" and the map about "A rather than B": the same evidence, reversed signs."""
    return (
        len(query.versus) == 1
        and claim.label is not None
        and claim.versus is not None
        and claim.label.casefold() == query.versus[0].casefold()
        and [name.casefold() for name in claim.versus] == [query.label.casefold()]
    )


def _framed(label: str, versus: Sequence[str]) -> str:
    return f"'{label}' rather than " + " or ".join(f"'{name}'" for name in versus) if versus else f"'{label}'"
