"""The claims "supports" and "opposes": a part speaks for the label, or against it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.directions import wrong_sign

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part speaks in the direction that the kind names (see `does_not_speak`)."""
    return wrong_sign(claim, evidence, "opposes" if claim.kind == "opposes" else "supports", bridge)


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question: a part that speaks for B rather than A speaks against A rather than B."""
    return replace(claim, kind="supports" if claim.kind == "opposes" else "opposes")
