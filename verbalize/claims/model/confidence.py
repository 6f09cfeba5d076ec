"""The claim "confidence": the model gives a label this probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.model.names import classes_named, probability
from verbalize.claims.numbers import is_stated
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the number is the model's probability of the label.

    Without a label it is the probability of the predicted class. If the map came without that probability, the claim is
    undecided. The scores of a prediction count as probabilities if they lie in 0..1 and sum to 1, or if the score of the
    predicted class is its probability.
    """
    del bridge  # no scores are looked at
    prediction = evidence.prediction
    if prediction is None:
        return Undecided("the map came without the model's prediction")
    label = prediction.label if claim.label is None else claim.label
    known = probability(prediction, classes_named(label, evidence))
    if known is None:
        return Undecided(f"the model's probability of '{label}' is not known")
    if is_stated(claim, known):
        return None
    return "wrong number", f"the model gives '{label}' a probability of {known:.1%}, not of {claim.value or 0.0:.1%}"
