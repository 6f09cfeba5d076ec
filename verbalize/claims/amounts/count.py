"""The claim "count": so many words speak in a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.messages import counted, side
from verbalize.claims.numbers import is_stated, written
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if so many words, or regions, score above 0 in the direction.

    Without a direction the words with any score other than 0 are counted. If the number is right only with punctuation marks
    or only without them, the claim is undecided.
    """
    del bridge  # words are counted one by one
    scores = evidence.net if claim.direction is None else evidence.toward(claim.direction)
    counts = scores != 0 if claim.direction is None else scores > 0
    number, words = int(counts.sum()), int((counts & evidence.wordlike).sum())
    holds = is_stated(claim, number), is_stated(claim, words)
    if claim.value == len(evidence) and not claim.tolerance:  # "all words": without punctuation marks there are fewer in all
        holds = holds[0], words == int(evidence.wordlike.sum())
    if all(holds):
        return None
    if any(holds):
        return Undecided(f"with punctuation marks {number} do, without them {words}")
    verb = "have a score other than 0" if claim.direction is None else f"speak {side(claim.direction)} '{evidence.query.label}'"
    return (
        "wrong number",
        f"{counted(number, evidence)} {verb if number != 1 else _singular(verb)}, not {written(claim.value or 0.0)}",
    )


def _singular(verb: str) -> str:
    return verb.replace("have", "has", 1) if verb.startswith("have") else verb.replace("speak", "speaks", 1)
