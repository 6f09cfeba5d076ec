"""The claim "least_important": no other word has less weight than this one."""

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


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if every word of the part has a smaller score than every word outside it.

    Without a direction the magnitudes of all words are compared. With one, only the words that speak in this direction are,
    and the part must be one of them. A tie makes the claim false, unless the text itself says that the place is shared. Then
    the part may also have one or two words below it, if most words are above it. A claim that leaves no other word to
    compare with is undecided.
    """
    found = wrong_sign(claim, evidence, claim.direction, bridge) if claim.direction is not None else None
    if found is not None:
        return found
    scores = np.abs(evidence.net) if claim.direction is None else evidence.toward(claim.direction)
    others = outside(evidence, claim.part, claim.other)
    others = others if claim.direction is None else others[scores[others] > 0]
    name = quoted_part(claim, evidence)
    if not others.size:
        return Undecided(f"{name} is called the least important, and there is nothing to compare it with")
    mine = float(scores[list(claim.part or ())].max())
    tied = evidence.all_tied(scores[others], mine)
    below = int(((scores[others] < mine) & ~tied).sum())
    if not below and (claim.shared or not tied.any()):
        return None
    rival = int(others[np.argmin(scores[others])])
    if not below:
        return "wrong rank", f"{name} shares the last place with '{evidence.names[rival]}'"
    if claim.shared and below < AMONG:
        if below + 1 <= (len(others) + 1) // 2:
            return None
        return Undecided(
            f"{name} is in place {below + 1} from below: whether it is among the least important is a matter of taste"
        )
    least = net_score(evidence, [rival])
    return (
        "wrong rank",
        f"'{evidence.names[rival]}' scores {least}, nearer to 0 than {name} with {net_score(evidence, claim.part or ())}",
    )
