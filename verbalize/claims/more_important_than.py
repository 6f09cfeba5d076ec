"""The claim "more_important_than": one part is more important than another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.messages import quoted_part
from verbalize.claims.supports import wrong_sign

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, Direction, ErrorKind
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the claim; `None` if its sum and its strongest word both exceed those of the other part.

    The part must also speak in its direction. So the claim is true whether a reader takes "important" to mean the sum or the
    strongest word.
    """
    direction = claim.direction or "supports"
    return wrong_sign(claim, evidence, direction, bridge) or _not_ahead(claim, evidence, direction)


def _not_ahead(claim: Claim, evidence: Evidence, direction: Direction) -> tuple[ErrorKind, str] | None:
    scores = evidence.toward(direction)
    mine, theirs = scores[list(claim.part or ())], scores[list(claim.other or ())]
    if mine.sum() > theirs.sum() and mine.max() > theirs.max():
        return None
    other = ", ".join(f"'{evidence.names[index]}'" for index in claim.other or ())
    numbers = (
        f"{mine.sum():.3g} against {theirs.sum():.3g} in sum, {mine.max():.3g} against {theirs.max():.3g} at the strongest"
    )
    return "wrong rank", f"{quoted_part(claim, evidence)} is not more important than {other}: {numbers}"
