"""The claims "supports" and "opposes": a part speaks for the label, or against it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.directions import turned_if_directed, wrong_sign
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part speaks in the direction that the kind names (see `does_not_speak`)."""
    if claim.direction not in (None, claim.kind):
        return Undecided(f"the claim contradicts itself: its kind is {claim.kind} and its direction {claim.direction}")
    return wrong_sign(claim, evidence, claim.kind, bridge)


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question: a part that speaks for B rather than A speaks against A rather than B."""
    other = turned_if_directed(claim)
    return replace(other, kind="supports" if claim.kind == "opposes" else "opposes")
