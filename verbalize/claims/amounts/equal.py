"""The claim "equal": two parts have the same weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.directions import does_not_speak, wrong_sign
from verbalize.claims.messages import quoted, quoted_part
from verbalize.claims.numbers import ROUNDING

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_SAME = 0.05  # "equally important" allows this difference, as a share of the larger weight: scores are shown to two digits


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the sums of the two parts agree, and so do their strongest words.

    They agree if they differ by at most `tolerance` times the larger, or 5 % of it if the claim has no tolerance. With a
    direction, both parts must speak in it; without one, magnitudes are compared.
    """
    part, other = claim.part or (), claim.other or ()
    if claim.direction is not None:
        found = wrong_sign(claim, evidence, claim.direction, bridge) or does_not_speak(other, evidence, claim.direction, bridge)
        if found is not None:
            return found
    mine, theirs = evidence.toward(claim.direction)[list(part)], evidence.toward(claim.direction)[list(other)]
    sums = abs(float(mine.sum())), abs(float(theirs.sum()))
    peaks = float(np.abs(mine).max()), float(np.abs(theirs).max())
    tolerance = (claim.tolerance or _SAME) + ROUNDING
    if all(abs(one - two) <= tolerance * max(one, two) for one, two in (sums, peaks)):
        return None
    unit = evidence.unit
    in_sum, at_peak = (f"{one * unit:.3g} against {two * unit:.3g}" for one, two in (sums, peaks))
    names = f"{quoted_part(claim, evidence)} and {quoted(other, evidence)}"
    return "wrong number", f"{names} do not have the same weight: {in_sum} in sum, {at_peak} at the strongest"
