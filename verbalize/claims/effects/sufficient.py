"""The claim "sufficient": this part alone keeps the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the model bears it out."""
    del claim, evidence, bridge
    return Undecided("only the model can tell, and it was not given")
