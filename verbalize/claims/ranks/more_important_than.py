"""The claim "more_important_than": one part is more important than another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import quoted, quoted_part

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if its sum and its strongest word both exceed those of the other part.

    The part must also speak in its direction. So the claim is true whether a reader takes "important" to mean the sum or the
    strongest word.
    """
    return wrong_sign(claim, evidence, claim.direction, bridge) or _not_ahead(claim, evidence)


def _not_ahead(claim: Claim, evidence: Evidence) -> Verdict:
    scores = evidence.toward(claim.direction)
    mine, theirs = scores[list(claim.part or ())], scores[list(claim.other or ())]
    pairs = ((float(mine.sum()), float(theirs.sum())), (float(mine.max()), float(theirs.max())))
    if all(one > other and not evidence.tied(one, other) for one, other in pairs):
        return None
    unit = evidence.unit
    in_sum, at_peak = (f"{one * unit:.3g} against {other * unit:.3g}" for one, other in pairs)
    numbers = f"{in_sum} in sum, {at_peak} at the strongest"
    other = quoted(claim.other or (), evidence)
    return "wrong rank", f"{quoted_part(claim, evidence)} is not more important than {other}: {numbers}"
