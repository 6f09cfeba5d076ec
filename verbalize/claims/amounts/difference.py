"""The claim "difference": the score of a part is this much above the score of another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.messages import quoted, quoted_part
from verbalize.claims.numbers import is_stated, written

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the net score of the part minus that of the other part is the number.

    With the direction "opposes" all scores change their sign first.
    """
    del bridge  # a number has no sign to bridge
    part, other = claim.part or (), claim.other or ()
    toward = evidence.toward(claim.direction)
    actual = (float(toward[list(part)].sum()) - float(toward[list(other)].sum())) * evidence.unit
    size = (evidence.mass(part, "absolute") + evidence.mass(other, "absolute")) * evidence.unit
    if is_stated(claim, actual, size):
        return None
    names = f"{quoted_part(claim, evidence)} and {quoted(other, evidence)}"
    return "wrong number", f"the scores of {names} differ by {written(actual)}, not by {written(claim.value or 0.0)}"


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question, for which every score changes its sign."""
    return replace(claim, value=-(claim.value or 0.0))
