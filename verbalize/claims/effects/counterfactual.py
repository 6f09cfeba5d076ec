"""The claim "counterfactual": with something else in the place of this part the decision changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.effects.judging import judged

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the model decides otherwise on the replaced text, or not, if the claim is negated.

    Each run of words of the part is replaced, once. What another picture would look like is not known, so that claims about
    regions are undecided.
    """
    del bridge  # no scores are looked at
    return judged(claim, evidence)
