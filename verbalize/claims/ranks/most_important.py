"""The claim "most_important": no other part is more important than this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import net_score, quoted_part
from verbalize.claims.ranks.places import AMONG, outside
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_STRONG = 0.5  # a word with at least this fraction of the best score is one of the most important in everybody's eyes


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part's strongest word scores higher than every word outside the named parts.

    The part must also speak in its direction. A tie with a word outside makes the claim false, unless the text itself says
    that the place is shared. Then the part must be among the first three places; if fewer than half of the words that speak
    in the direction are in front of it, or if it has at least half of the best score, the claim is true, else undecided.
    """
    return wrong_sign(claim, evidence, claim.direction, bridge) or _outdone(claim, evidence)


def _outdone(claim: Claim, evidence: Evidence) -> Verdict:
    scores = evidence.toward(claim.direction)
    others = outside(evidence, claim.part, claim.other)
    if not others.size:
        return None
    peak = float(scores[list(claim.part or ())].max())
    rival = int(others[np.argmax(scores[others])])
    best = float(scores[rival])
    name = quoted_part(claim, evidence)
    if evidence.tied(peak, best):
        shares = f"{name} shares its place with '{evidence.names[rival]}' (word {rival})"
        return None if claim.shared else ("wrong rank", shares)
    if peak > best:
        return None
    place, speaking = 1 + int((scores > peak).sum()), int((scores > 0).sum())
    if claim.shared and not evidence.flat and place <= AMONG:
        if place <= (speaking + 1) // 2 or peak >= _STRONG * best:
            return None
        return Undecided(
            f"{name} is in place {place} of {speaking}: whether it is among the most important is a matter of taste"
        )
    mine = net_score(evidence, claim.part or ())
    return "wrong rank", f"'{evidence.names[rival]}' scores {net_score(evidence, [rival])}, more than {name} with {mine}"
