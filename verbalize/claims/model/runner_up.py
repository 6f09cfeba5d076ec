"""The claim "runner_up": the model's second choice, or another place, is this label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from verbalize.claims.model.names import same_name
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_SECOND = 2


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the label has the `value`-th highest score of the prediction, or the second.

    A tie makes the claim false, unless the text itself says that the place is shared. The claim is undecided if the
    prediction has no such place, or if its highest score is not that of the predicted class.
    """
    del bridge  # the scores of the words are not looked at
    prediction = evidence.prediction
    place = _SECOND if claim.value is None else claim.value
    if prediction is None or claim.label is None:
        return Undecided("the map came without the model's prediction" if prediction is None else "a label is not named")
    ordered = sorted(prediction.scores.items(), key=lambda item: -item[1])
    if not 1 <= place <= len(ordered) or place != int(place):
        return Undecided(f"the model's scores of its classes are not known down to place {place:.4g}")
    if not all(math.isfinite(score) for score in prediction.scores.values()):
        return Undecided("the model's scores of its classes are not all numbers")
    if not any(same_name(name, prediction.label) and score == ordered[0][1] for name, score in ordered):
        return Undecided("the model's scores of its classes do not agree with its prediction")
    at_place = ordered[int(place) - 1]
    sharing = [name for name, score in ordered if score == at_place[1]]
    if any(same_name(name, claim.label) for name in sharing) and (len(sharing) == 1 or claim.shared):
        return None
    if len(sharing) > 1:
        return "wrong label", "place {:.0f} of the model's classes is shared by {}".format(
            place, ", ".join(f"'{name}'" for name in sharing[:4])
        )
    return "wrong label", f"place {place:.0f} of the model's classes is '{at_place[0]}', not '{claim.label}'"
