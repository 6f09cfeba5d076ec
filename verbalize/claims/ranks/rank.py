"""The claim "rank": a part is in the k-th place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.directions import wrong_sign
from verbalize.claims.messages import quoted_part
from verbalize.claims.numbers import is_stated
from verbalize.claims.ranks.places import higher, outside
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_HALF_A_PLACE = 0.5  # a smaller tolerance leaves one place at most


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if exactly `value` - 1 words outside the part score higher than its strongest word.

    With a tolerance of half a place or more, the claim names a range of places: "among the first three" is 2 with a tolerance
    of 1. The part must also speak in its direction, unless the range reaches the last place, as in "is not the first".

    A tie with a word outside makes a claim of one place false, unless the text itself says that the place is shared. Several
    words that share a place must be tied with each other; else it is undecided which of them the claim is about.
    """
    toward, part = evidence.toward(claim.direction), list(claim.part or ())
    single = claim.tolerance < _HALF_A_PLACE
    if single or (claim.value or 0) + claim.tolerance < len(evidence):
        found = wrong_sign(claim, evidence, claim.direction, bridge)
        if found is not None:
            return found
    peak = float(toward[part].max())
    scores = toward[outside(evidence, claim.part)]
    place, ties = 1 + int(higher(evidence, scores, peak).sum()), int(evidence.all_tied(scores, peak).sum())
    name = quoted_part(claim, evidence)
    if not is_stated(claim, place):
        return "wrong rank", f"{name} is in place {place}, not in {_places(claim)}"
    if single and ties and not claim.shared:
        return "wrong rank", f"{name} shares place {place} with {ties} other{'s' if ties > 1 else ''}"
    if single and claim.shared and not evidence.all_tied(toward[part], peak).all():
        return Undecided(f"the words of {name} are in different places")
    return None


def _places(claim: Claim) -> str:
    value = claim.value or 0.0
    if claim.tolerance < _HALF_A_PLACE:
        return f"place {value:.4g}"
    return f"places {value - claim.tolerance:.4g} to {value + claim.tolerance:.4g}"
