"""The claim "count": so many words speak in a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.messages import counted, side
from verbalize.claims.numbers import is_stated, written

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if so many words, or regions, score above 0 in the direction.

    Without a direction the words with any score other than 0 are counted.
    """
    del bridge  # words are counted one by one
    scores = evidence.net if claim.direction is None else evidence.toward(claim.direction)
    number = int(np.count_nonzero(scores)) if claim.direction is None else int((scores > 0).sum())
    if is_stated(claim, number):
        return None
    verb = "have a score other than 0" if claim.direction is None else f"speak {side(claim.direction)} '{evidence.query.label}'"
    return (
        "wrong number",
        f"{counted(number, evidence)} {verb if number != 1 else _singular(verb)}, not {written(claim.value or 0.0)}",
    )


def _singular(verb: str) -> str:
    return verb.replace("have", "has", 1) if verb.startswith("have") else verb.replace("speak", "speaks", 1)
