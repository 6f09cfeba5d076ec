"""The claim "matters": a part has weight, whichever way it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import net_score, quoted_part
from verbalize.claims.signs import near_zero
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_OF_EVEN_SHARE = 0.5  # a part with half of what each would have if all had the same is still called relevant ...
_OF_STRONGEST = 0.25  # ... and so is one that nobody would call near zero beside the strongest, ...
_OF_ALL = 0.1  # ... or that holds a tenth of everything: in short texts that is far less than an even share


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part's net score is large beside the other scores.

    It is large if it is at least half an even share (the mean of all parts' scores, signs aside), a quarter of the strongest
    score, or a tenth of all mass. A part that is near zero does not matter; one in between is undecided. With a direction, the
    part must also speak in it.
    """
    found = wrong_sign(claim, evidence, claim.direction, bridge) if claim.direction is not None else None
    if found is not None:
        return found
    part = list(claim.part or ())
    net = abs(float(evidence.net[part].sum()))
    even = float(np.abs(evidence.net).mean())
    name, score = quoted_part(claim, evidence), net_score(evidence, part)
    if net == 0 or near_zero.is_near_zero(claim, evidence):
        return "wrong number", f"{name} is said to matter but scores {score}, where an even share is {even * evidence.unit:.3g}"
    large = net >= _OF_EVEN_SHARE * even or net >= _OF_STRONGEST * evidence.peak
    if large or near_zero.share_of_all(claim, evidence) >= _OF_ALL:
        return None
    return Undecided(f"{name} scores {score}, less than half an even share: whether that matters is a matter of taste")
