"""The claim "balance": the evidence on one side outweighs the other, or is this fraction of all evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.messages import side
from verbalize.claims.numbers import is_stated

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the mass in the direction exceeds that of the other side.

    With a value, the claim is true if the mass in the direction is that fraction of all absolute mass. Without a direction
    the claim means "supports".
    """
    del bridge  # the claim is about whole sides
    mine, theirs = evidence.positive_mass, evidence.negative_mass
    if claim.direction == "opposes":
        mine, theirs = theirs, mine
    total = mine + theirs
    if total == 0:
        return "wrong number", "one side of the evidence is said to weigh more, and there is no evidence"
    if claim.value is not None:
        if is_stated(claim, mine / total):
            return None
        return (
            "wrong number",
            f"{mine / total:.1%} of all evidence speaks {side(claim.direction)} the label, not {claim.value:.1%}",
        )
    if mine > theirs and not evidence.tied(mine, theirs):
        return None
    return "wrong number", f"only {mine / total:.1%} of all evidence speaks {side(claim.direction)} '{evidence.query.label}'"
