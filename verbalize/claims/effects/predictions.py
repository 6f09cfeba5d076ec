"""Claims about the prediction, held against what the map says of it and against the model, where it was run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.effects.judging import doubt_of
from verbalize.claims.model.names import same_name
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def judged_prediction(
    claim: Claim, evidence: Evidence, bridge: float, *, falsehood: Callable[[Claim, Evidence, float], Verdict]
) -> Verdict:
    """The falsehood of a claim about the prediction by the map alone or, where the model was run, by both.

    The model decides what the map does not know. Where the map says one thing and the model another, the claim is undecided,
    because one of the two is not what the other takes it for.

    Args:
        claim: the claim.
        evidence: the map and, in `effects`, what the model says of its input.
        bridge: as in `check`.
        falsehood: the truth condition of the claim's kind.
    """
    by_map = falsehood(claim, evidence, bridge)
    if evidence.effects is None:
        return by_map
    doubt = doubt_of(evidence)
    prediction = evidence.effects.prediction
    if doubt is not None or prediction is None:
        return by_map if doubt is None else Undecided(doubt)
    if evidence.prediction is None and (unknown := _not_a_class(evidence)) is not None:
        return Undecided(f"the map is about '{unknown}', and the model has no class of that name")
    by_model = falsehood(claim, replace(evidence, prediction=prediction), bridge)
    if evidence.prediction is None or isinstance(by_map, Undecided):
        return by_model
    if isinstance(by_model, Undecided) or (by_map is None) == (by_model is None):
        return by_map
    if by_model is not None:
        return Undecided(f"what the map says of the prediction bears it out, but this model does not: {by_model[1]}")
    return Undecided(f"this model bears it out, but not what the map says of the prediction: {(by_map or ('', ''))[1]}")


def _not_a_class(evidence: Evidence) -> str | None:
    """A class that the question of the map names and the model lacks; `None` if it has them all, or no prediction."""
    known = evidence.effects.prediction.scores if evidence.effects and evidence.effects.prediction else {}
    query = evidence.query
    named = (*(query.members or (query.label,)), *query.versus)
    return next((name for name in named if not any(same_name(name, one) for one in known)), None)
