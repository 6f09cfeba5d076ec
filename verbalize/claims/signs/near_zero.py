"""The claim "near_zero": a part has hardly any weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score, quoted_part
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_OF_ALL = 0.05  # "hardly any" weight is at most this share of the mass of the map ...
_OF_STRONGEST = 0.1  # ... and at most this fraction of the strongest word: in a long text every word is a small share
_PLAINLY_MORE = 0.25  # a part with more than this fraction of the strongest word is not near zero to anybody


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the part has at most 5 % of all mass and a tenth of the strongest word's score.

    Both its net score and its strongest word count. A part with more than a quarter of the strongest word's score makes the
    claim false; in between, people differ, and the claim is undecided.
    With a direction ("hardly speaks for it"), it is undecided as well if the part speaks the other way.
    """
    del bridge  # magnitudes have no sign to bridge
    name, score = quoted_part(claim, evidence), net_score(evidence, claim.part or ())
    if is_near_zero(claim, evidence):
        if claim.direction is not None and float(evidence.toward(claim.direction)[list(claim.part or ())].sum()) < 0:
            return Undecided(f"{name} scores {score}, which is near zero but on the other side")
        return None
    weight, share = fraction_of_strongest(claim, evidence), share_of_all(claim, evidence)
    if weight > _PLAINLY_MORE:
        return (
            "wrong number",
            f"{name} scores {score}, {_compared(weight)} the strongest score of the map, which is not near zero",
        )
    return Undecided(f"{name} scores {score}, {share:.1%} of all: whether that is near zero is a matter of taste")


def is_near_zero(claim: Claim, evidence: Evidence) -> bool:
    """Whether the part of the claim has hardly any weight, whichever way it speaks."""
    return share_of_all(claim, evidence) <= _OF_ALL and fraction_of_strongest(claim, evidence) <= _OF_STRONGEST


def fraction_of_strongest(claim: Claim, evidence: Evidence) -> float:
    """The part's net score or its strongest word, whichever is larger, divided by the strongest score of the map."""
    scores = evidence.net[list(claim.part or ())]
    mine = max(abs(float(scores.sum())), float(np.abs(scores).max(initial=0.0)))
    return mine / evidence.peak if evidence.peak else 0.0


def share_of_all(claim: Claim, evidence: Evidence) -> float:
    """The magnitude of the part's net score divided by all absolute mass; 0 on a map of zeros."""
    total = evidence.total("absolute")
    return abs(float(evidence.net[list(claim.part or ())].sum())) / total if total else 0.0


def _compared(weight: float) -> str:
    return f"{weight:.0%} of" if weight <= 1 else f"{weight:.1f} times"
