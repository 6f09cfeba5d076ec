"""The claim "share": a part holds this fraction of the evidence, or has this net score."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.messages import quoted_part

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, ErrorKind, ShareOf
    from verbalize.evidence import Evidence

_ROUNDING = 1e-9  # relative rounding error of sums of floats, which does not make a claim false
_OTHER_SIDE: dict[ShareOf, ShareOf] = {"positive": "negative", "negative": "positive"}


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the claim; `None` if the number is right to within the claim's tolerance."""
    del bridge  # a number has no sign to bridge
    name = quoted_part(claim, evidence)
    said = claim.value if claim.value is not None else float("nan")
    actual = evidence.mass(claim.part or (), claim.of)
    if claim.of != "score":
        total = evidence.total(claim.of)
        if total == 0:
            return "wrong number", f"{name} is given a share of the {claim.of} evidence, and there is none"
        actual /= total
    if abs(said - actual) <= claim.tolerance + _ROUNDING * max(1.0, abs(actual)):
        return None
    if claim.of == "score":
        return "wrong number", f"{name} scores {actual:.4g}, not {said:.4g}"
    return "wrong number", f"{name} holds {actual:.1%} of the {claim.of} evidence, not {said:.1%}"


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question: positive evidence becomes negative evidence, and a score changes its sign."""
    if claim.of == "score":
        return replace(claim, value=-(claim.value or 0.0))
    return replace(claim, of=_OTHER_SIDE.get(claim.of, claim.of))
