"""The claim "sufficient": this part alone keeps the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.effects.judging import judged

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the model decides the same on the part alone, or not, if the claim is negated.

    All other words are cut out of the text. The whole text alone is the text itself, so that such a claim is true.
    """
    del bridge  # no scores are looked at
    return judged(claim, evidence)
