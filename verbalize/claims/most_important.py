"""The claim "most_important": no other part is more important than this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import net_score, quoted_part
from verbalize.claims.supports import wrong_sign

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, Direction, ErrorKind
    from verbalize.evidence import Evidence
    from verbalize.saliency import Floats

_AMONG = 3  # "one of the most important" is true of the first three places; readers expect no more than a handful


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> tuple[ErrorKind, str] | None:
    """The falsehood of the claim; `None` if the part's strongest word scores higher than every word outside the named parts.

    The part must also speak in its direction. A tie with a word outside makes the claim false, unless the text itself says
    that the place is shared.
    """
    direction = claim.direction or "supports"
    return wrong_sign(claim, evidence, direction, bridge) or _outdone(claim, evidence, direction)


def _outdone(claim: Claim, evidence: Evidence, direction: Direction) -> tuple[ErrorKind, str] | None:
    scores = evidence.toward(direction)
    part, named = list(claim.part or ()), {*(claim.part or ()), *(claim.other or ())}
    outside = np.ones(len(evidence), dtype=bool)
    outside[list(named)] = False
    if not outside.any():
        return None
    peak = float(scores[part].max())
    rival = int(np.flatnonzero(outside)[np.argmax(scores[outside])])
    best = float(scores[rival])
    name = quoted_part(claim, evidence)
    if evidence.tied(peak, best):
        return (
            None if claim.shared else ("wrong rank", f"{name} shares its place with '{evidence.names[rival]}' (word {rival})")
        )
    if peak > best or (claim.shared and not evidence.flat and _place(scores, peak) <= _AMONG):
        return None
    mine = net_score(evidence, claim.part or ())
    return "wrong rank", f"'{evidence.names[rival]}' scores {evidence.net[rival]:.3g}, more than {name} with {mine}"


def _place(scores: Floats, value: float) -> int:
    return 1 + int((scores > value).sum())
