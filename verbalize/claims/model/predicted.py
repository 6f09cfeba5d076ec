"""The claim "predicted": the model predicted this label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.model.names import classes_named, same_name
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the label is the predicted one or, if that is unknown, the label of the query.

    A contrastive map may explain a class that the model did not predict, so without a prediction such a claim is undecided.
    """
    del bridge  # no scores are looked at
    if claim.label is None:
        return Undecided("a prediction is mentioned without its label")
    query = evidence.query
    if evidence.prediction is None:
        if query.contrastive and any(same_name(claim.label, name) for name in (query.label, *query.members, *query.versus)):
            return Undecided("the map came without the model's prediction")
        if same_name(claim.label, query.label):
            return None
        if any(same_name(claim.label, name) for name in query.members):
            return Undecided(f"the map does not tell which class of '{query.label}' the model predicted")
        return "wrong label", f"the map is about '{query.label}', not about '{claim.label}'"
    predicted = evidence.prediction.label
    if same_name(claim.label, predicted) or any(same_name(name, predicted) for name in classes_named(claim.label, evidence)):
        return None
    return "wrong label", f"the model predicted '{predicted}', not '{claim.label}'"
