"""The claim "no_clear_evidence": nothing speaks for the label, or nothing against it, or nothing stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if no score speaks in the direction or, without one, if nothing stands out."""
    del bridge  # the claim names no part
    if claim.direction is None:
        true, scores = evidence.flat, np.abs(evidence.net)
    else:
        mass = evidence.positive_mass if claim.direction == "supports" else evidence.negative_mass
        true, scores = mass == 0, evidence.toward(claim.direction)
    if true:
        return None
    if not len(scores):
        return "wrong rank", "it is said that nothing stands out, but the map is not flat"
    top = int(np.argmax(scores))
    return "wrong rank", f"it is said that nothing stands out, but '{evidence.names[top]}' scores {net_score(evidence, [top])}"
