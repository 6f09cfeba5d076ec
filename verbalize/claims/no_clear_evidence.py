"""The claim "no_clear_evidence": nothing speaks for the label, or nothing against it, or nothing stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.supports import turned

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, ErrorKind
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the claim; `None` if no score speaks in the direction or, without one, if all scores are equal."""
    del bridge  # the claim names no part
    scores = evidence.net
    if claim.direction is None:
        if evidence.flat:
            return None
        top = int(np.argmax(np.abs(scores))) if len(scores) else 0
    else:
        mass = evidence.positive_mass if claim.direction == "supports" else evidence.negative_mass
        if mass == 0:
            return None
        top = int(np.argmax(evidence.toward(claim.direction))) if len(scores) else 0
    if not len(scores):
        return "wrong rank", "it is said that nothing stands out, but the map is not flat"
    return "wrong rank", f"it is said that nothing stands out, but '{evidence.names[top]}' scores {scores[top]:.3g}"


def mirrored(claim: Claim) -> Claim:
    """The claim with its direction reversed. Without a direction it is the same for the mirrored question."""
    return claim if claim.direction is None else turned(claim)
