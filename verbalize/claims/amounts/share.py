"""The claim "share": a part holds this fraction of the evidence or of the picture, or has this net score."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.messages import quoted_part
from verbalize.claims.numbers import is_stated, written

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, ShareOf
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_OTHER_SIDE: dict[ShareOf, ShareOf] = {"positive": "negative", "negative": "positive"}


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the number is right to within the claim's tolerance."""
    del bridge  # a number has no sign to bridge
    name, part, said = quoted_part(claim, evidence), claim.part or (), claim.value or 0.0
    if claim.of == "area":
        return _wrong_area(claim, evidence)
    actual = evidence.mass(part, claim.of)
    if claim.of == "score":
        if is_stated(claim, actual * evidence.unit, evidence.mass(part, "absolute") * evidence.unit):
            return None
        return "wrong number", f"{name} scores {written(actual * evidence.unit)}, not {written(said)}"
    total = evidence.total(claim.of)
    if total == 0:
        if claim.value == 0:
            return None  # a part that is said to hold none of the evidence on a side holds none where there is none
        return "wrong number", f"{name} is given a share of the {claim.of} evidence, and there is none"
    if is_stated(claim, actual / total):
        return None
    return "wrong number", f"{name} holds {actual / total:.1%} of the {claim.of} evidence, not {said:.1%}"


def _wrong_area(claim: Claim, evidence: Evidence) -> Verdict:
    name, said = quoted_part(claim, evidence), claim.value or 0.0
    if evidence.areas is None:
        return "wrong number", f"{name} is given an area, but words have none"
    area = float(evidence.areas[list(claim.part or ())].sum())
    return None if is_stated(claim, area) else ("wrong number", f"{name} fills {area:.1%} of the picture, not {said:.1%}")


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question: positive evidence becomes negative evidence, and a score changes its sign."""
    if claim.of == "score":
        return replace(claim, value=-(claim.value or 0.0))
    return replace(claim, of=_OTHER_SIDE.get(claim.of, claim.of))
