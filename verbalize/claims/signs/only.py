"""The claim "only": these words speak in a direction, and no other word does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score, quoted_part, side
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if exactly the words of the part score above 0 in the direction.

    Without a direction the claim means "supports" or, on an unsigned map, that no other word has any weight.
    If all others that speak are punctuation marks, it is undecided whether they count.
    """
    del bridge  # every word must speak by itself
    speaking = evidence.toward(claim.direction) > 0
    named = np.zeros(len(evidence), dtype=bool)
    named[list(claim.part or ())] = True
    does = f"speaks {side(claim.direction)} '{evidence.query.label}'" if evidence.signed else "matters"
    silent = np.flatnonzero(named & ~speaking)
    if silent.size:
        first = int(silent[0])
        return "wrong sign", f"it is said that '{evidence.names[first]}' {does} but it scores {net_score(evidence, [first])}"
    others = np.flatnonzero(speaking & ~named)
    if others.size:
        first = int(others[np.argmax(np.abs(evidence.net[others]))])
        if not evidence.wordlike[others].any():
            return Undecided(f"of all others only the punctuation mark '{evidence.names[first]}' does")
        also = f"'{evidence.names[first]}', which scores {net_score(evidence, [first])}"
        return "wrong rank", f"it is said that only {quoted_part(claim, evidence)} {does}, but so does {also}"
    return None
