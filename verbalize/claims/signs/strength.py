"""The claim "strength": a part speaks strongly, or weakly, in a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import net_score, quoted_part, side
from verbalize.claims.numbers import is_stated
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part speaks in the direction and is as strong as the claim says.

    Strength is the part's net score divided by the score of the strongest single word, and at most 1. The strongest word may
    be that of the same direction or that of the whole map. If the claim is true in one of these two senses only, it is
    undecided: the strongest word against a label may still be weak beside the words for it.

    Without a direction, magnitudes are compared with the strongest score of the map, and the two senses are the part's sum and
    its strongest word.
    """
    if claim.direction is None:
        return _magnitude(claim, evidence)
    found = wrong_sign(claim, evidence, claim.direction, bridge)
    if found is not None:
        return found
    toward = evidence.toward(claim.direction)
    mine, strongest = float(toward[list(claim.part or ())].sum()), float(toward.max())
    on_its_side, overall = min(1.0, mine / strongest), min(1.0, mine / evidence.peak)
    holds = (is_stated(claim, on_its_side), is_stated(claim, overall))
    if all(holds):
        return None
    name = f"{quoted_part(claim, evidence)} scores {net_score(evidence, claim.part or ())}"
    measured = (
        f"{on_its_side:.0%} of the strongest score {side(claim.direction)} the label, {overall:.0%} of the strongest of all"
    )
    if any(holds):
        return Undecided(f"{name}: {measured}")
    return "wrong number", f"{name}: {measured}, not {_stated(claim)}"


def _magnitude(claim: Claim, evidence: Evidence) -> Verdict:
    scores = evidence.net[list(claim.part or ())]
    weights = abs(float(scores.sum())), float(np.abs(scores).max())
    in_sum, at_peak = (min(1.0, weight / evidence.peak) if evidence.peak else 0.0 for weight in weights)
    holds = (is_stated(claim, in_sum), is_stated(claim, at_peak))
    if all(holds):
        return None
    name = f"{quoted_part(claim, evidence)} scores {net_score(evidence, claim.part or ())}"
    measured = f"{in_sum:.0%} of the strongest score of the map, its strongest word {at_peak:.0%}"
    if any(holds):
        return Undecided(f"{name}: {measured}")
    return "wrong number", f"{name}: {measured}, not {_stated(claim)}"


def _stated(claim: Claim) -> str:
    value = claim.value or 0.0
    low, high = max(0.0, value - claim.tolerance), min(1.0, value + claim.tolerance)
    return f"{low:.0%} to {high:.0%}"
