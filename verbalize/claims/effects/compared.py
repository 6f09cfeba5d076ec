"""How much it says that a part alone keeps the decision: whether other parts of as many words keep it alone, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.claims.effects.judging import judged
from verbalize.claims.messages import quoted_part
from verbalize.masking.effects import Change

if TYPE_CHECKING:
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part

_MOST = 4  # other parts that are asked about, spread evenly over the text


def compared_with(claim: Claim, evidence: Evidence) -> tuple[Change, ...]:
    """The other parts, each of which is left alone to compare it with the part of a claim that one is enough.

    They have as many words as the part, and none of its words. There are none of a picture, or if too few words are left.
    """
    if claim.kind != "sufficient" or claim.negated or evidence.pixels or not claim.part:
        return ()
    size = max(1, sum(_is_word(evidence.names[index]) for index in claim.part))
    rest = [index for index, name in enumerate(evidence.names) if _is_word(name) and index not in claim.part]
    parts: list[Part] = [tuple(rest[start : start + size]) for start in range(0, len(rest) - size + 1, size)]
    chosen = [parts[place * len(parts) // _MOST] for place in range(_MOST)] if len(parts) > _MOST else parts
    return tuple(Change("alone", part) for part in chosen)


def note_of(claim: Claim, evidence: Evidence) -> str | None:
    """How many of the other parts keep the decision alone, too; `None` if none does, or if the model was not asked."""
    changes = compared_with(claim, evidence)
    if not changes or evidence.effects is None or any(change not in evidence.effects.changed for change in changes):
        return None
    keep = sum(judged(Claim("sufficient", change.part), evidence) is None for change in changes)
    if not keep:
        return None
    said = quoted_part(claim, evidence)
    if len(changes) == 1:
        as_many = "is the only other part of as many words"
    else:
        as_many = f"{'is' if keep == 1 else 'are'} {keep} of {len(changes)} other parts of as many words"
    are = "are" if "' and '" in said else "is"
    return f"{said} alone {are} enough, and so {as_many}"


def _is_word(name: str) -> bool:
    return any(map(str.isalnum, name))
