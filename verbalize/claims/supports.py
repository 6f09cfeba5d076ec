"""The claims "supports" and "opposes": a part speaks for the label, or against it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score, quoted_part

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, Direction, ErrorKind
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the claim; `None` if the part speaks in the direction that the kind names (see `wrong_sign`)."""
    return wrong_sign(claim, evidence, "opposes" if claim.kind == "opposes" else "supports", bridge)


def wrong_sign(claim: Claim, evidence: Evidence, direction: Direction, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the statement that the part speaks in this direction; `None` if it does.

    It does if its scores sum to more than 0 in that direction and none of its words is below `-bridge`. So with a bridge of
    0, a part that contains a word of the other sign is not evidence as a whole. A region has one score, its net score.
    """
    part = claim.part or ()
    scores = evidence.toward(direction)[list(part)]
    said, other = ("for", "against") if direction == "supports" else ("against", "for")
    claimed = f"{quoted_part(claim, evidence)} is said to speak {said} '{evidence.query.label}'"
    total = float(scores.sum())
    if total <= 0:
        truth = "says nothing about it" if total == 0 else f"speaks {other} it"
        return "wrong sign", f"{claimed} but {truth}: {net_score(evidence, part)}"
    low = int(np.argmin(scores))
    if not evidence.pixels and scores[low] < -bridge:
        word = evidence.names[part[low]]
        return "wrong sign", f"{claimed} but its word '{word}' scores {evidence.net[part[low]]:.3g}"
    return None


def mirrored(claim: Claim) -> Claim:
    """The claim for the mirrored question: a part that speaks for B rather than A speaks against A rather than B."""
    return replace(claim, kind="supports" if claim.kind == "opposes" else "opposes")


def turned(claim: Claim) -> Claim:
    """The claim with its direction reversed; a claim without a direction means "supports"."""
    return replace(claim, direction="supports" if claim.direction == "opposes" else "opposes")
