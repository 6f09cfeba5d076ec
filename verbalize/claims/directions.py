"""Which way a part speaks, and how claims turn when the question is turned round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score, quoted, side

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Falsehood
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part

_CANCELLED = 1e-12  # a sum below this share of the scores' magnitudes is what rounding leaves of scores that cancel


def wrong_sign(claim: Claim, evidence: Evidence, direction: str | None, bridge: float) -> Falsehood | None:
    """The falsehood of the statement that the part of the claim speaks in this direction; `None` if it does.

    See `does_not_speak`.
    """
    return does_not_speak(claim.part or (), evidence, direction, bridge, claim.quote)


def does_not_speak(
    part: Part, evidence: Evidence, direction: str | None, bridge: float, quote: str | None = None
) -> Falsehood | None:
    """The falsehood of the statement that a part speaks in this direction; `None` if it does.

    It does if its scores sum to more than 0 in that direction and none of its words is below `-bridge`. So with a bridge of
    0, a part that contains a word of the other sign is not evidence as a whole. A region has one score, its net score. On an
    unsigned map the statement is that the part matters at all.
    """
    scores = evidence.toward(direction)[list(part)]
    total = float(scores.sum())
    if total > _CANCELLED * float(np.abs(scores).sum()) and (evidence.pixels or float(scores.min()) >= -bridge / evidence.unit):
        return None
    name = f"'{quote}'" if quote else quoted(part, evidence)
    if not evidence.signed:
        return "wrong sign", f"{name} is said to matter but its score is 0"
    claimed = f"{name} is said to speak {side(direction)} '{evidence.query.label}'"
    if total > _CANCELLED * float(np.abs(scores).sum()):
        low = part[int(np.argmin(scores))]
        return "wrong sign", f"{claimed} but its word '{evidence.names[low]}' scores {net_score(evidence, [low])}"
    speaks = total < -_CANCELLED * float(np.abs(scores).sum())
    truth = f"speaks {'for' if direction == 'opposes' else 'against'} it" if speaks else "says nothing about it"
    return "wrong sign", f"{claimed} but {truth}: {net_score(evidence, part)}"


def turned(claim: Claim) -> Claim:
    """The claim with its direction reversed; a claim without a direction means "supports"."""
    return replace(claim, direction="supports" if claim.direction == "opposes" else "opposes")


def turned_if_directed(claim: Claim) -> Claim:
    """The claim with its direction reversed. Without a direction it is about magnitudes, which do not change."""
    return claim if claim.direction is None else turned(claim)


def unchanged(claim: Claim) -> Claim:
    """The claim itself: it says the same of the mirrored question."""
    return claim
