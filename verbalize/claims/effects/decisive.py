"""The claim "decisive": without this part the decision changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.effects.judging import judged

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the decision changes without the part, or stays, if the claim is negated.

    Words are cut out of the text. If the part is all of the text, nothing is left to decide on, and the claim is undecided.
    """
    del bridge  # no scores are looked at
    return judged(claim, evidence)
