"""The claim "rank": a part is in the k-th place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import quoted_part
from verbalize.claims.ranks.places import higher, outside
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if exactly `value` - 1 words outside the part score higher than its strongest word.

    The part must also speak in its direction. A tie with a word outside makes the claim false, unless the text itself says
    that the place is shared. Several words that share a place must be tied with each other; else it is undecided which of
    them the claim is about.
    """
    found = wrong_sign(claim, evidence, claim.direction, bridge)
    if found is not None:
        return found
    toward, part = evidence.toward(claim.direction), list(claim.part or ())
    peak = float(toward[part].max())
    scores = toward[outside(evidence, claim.part)]
    place, ties = 1 + int(higher(evidence, scores, peak).sum()), int(evidence.all_tied(scores, peak).sum())
    name = quoted_part(claim, evidence)
    if place != claim.value:
        return "wrong rank", f"{name} is in place {place}, not in place {claim.value:.4g}"
    if ties and not claim.shared:
        return "wrong rank", f"{name} shares place {place} with {ties} other{'s' if ties > 1 else ''}"
    if claim.shared and not evidence.all_tied(toward[part], peak).all():
        return Undecided(f"the words of {name} are in different places")
    return None
