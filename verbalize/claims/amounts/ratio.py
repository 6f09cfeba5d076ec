"""The claim "ratio": a part has N times the weight of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.directions import does_not_speak, wrong_sign
from verbalize.claims.messages import net_score, quoted, quoted_part
from verbalize.claims.numbers import is_stated, written

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


_OPEN = 100  # an interval whose upper end is this many times the lower one has no upper end in words


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the sum of the part divided by that of the other part is the number.

    With a direction, both parts must speak in it; without one, magnitudes are compared.
    """
    part, other = claim.part or (), claim.other or ()
    if claim.direction is not None:
        found = wrong_sign(claim, evidence, claim.direction, bridge) or does_not_speak(other, evidence, claim.direction, bridge)
        if found is not None:
            return found
    mine, theirs = abs(float(evidence.net[list(part)].sum())), abs(float(evidence.net[list(other)].sum()))
    name, against = quoted_part(claim, evidence), quoted(other, evidence)
    if theirs == 0:
        return "wrong number", f"{name} is compared with {against}, which has no weight"
    if is_stated(claim, mine / theirs):
        return None
    scores = f"{net_score(evidence, part)} against {net_score(evidence, other)}"
    times, said = written(mine / theirs), _stated(claim.value or 0.0, claim.tolerance)
    return "wrong number", f"{name} has {times} times the weight of {against}, not {said} times: {scores}"


def _stated(value: float, tolerance: float) -> str:
    """The number of a claim in words; of a bound ("far more", "more than twice") the end that counts."""
    low, high = value - tolerance, value + tolerance
    if high > _OPEN * max(low, 1.0):
        return f"at least {written(low)}"
    return f"at most {written(high)}" if low <= 0 else written(value)
