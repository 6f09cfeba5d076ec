"""Whether two sets of claims say the same of a map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.labels import wrong_label

if TYPE_CHECKING:
    from collections.abc import Collection

    from verbalize.claims.claim import Claim, Direction
    from verbalize.saliency import Query

_DECIMALS = 6  # numbers of two claims are the same if they agree in so many decimal places: rounding alone changes fewer
_LABELLED = ("predicted", "confidence", "runner_up")  # kinds in which the label is what is claimed, and no mere name
_SPEAK = ("most_important", "rank", "more_important_than", "strength", "equal", "ratio", "only")


def same_meaning(stated: Collection[Claim], read: Collection[Claim], query: Query) -> bool:
    """Whether each claim of either set is in the other, or follows from one that is there.

    "The most important", a rank, a share of the evidence for a label and other claims imply that their part speaks in that
    direction; whether the implied claim is listed, too, makes no difference. Nor does it matter whether a claim names the label
    of the query, what the text quoted, and with what tolerance a number is held.
    """
    mine = {_bare(claim, query) for claim in stated}
    theirs = {_bare(claim, query) for claim in read}
    return all(_follows(claim, theirs) for claim in mine) and all(_follows(claim, mine) for claim in theirs)


def _bare(claim: Claim, query: Query) -> Claim:
    named = claim.label
    if claim.kind in _LABELLED:
        named = (claim.label or query.label).casefold()
    elif claim.label is not None and wrong_label(claim, query) is None and claim.label.casefold() != query.label.casefold():
        named = claim.label  # the mirrored question, or one member of a group: another statement
    elif claim.label is not None and wrong_label(claim, query) is None:
        named = None
    direction: Direction | None = claim.direction
    if claim.kind in ("supports", "opposes", "share"):
        direction = None
    elif claim.kind in ("most_important", "rank", "more_important_than", "strength", "only", "balance"):
        direction = claim.direction or "supports"
    value = None if claim.value is None else round(claim.value, _DECIMALS)
    versus = None if named is None or claim.kind in _LABELLED else claim.versus
    return replace(claim, label=named, versus=versus, quote=None, tolerance=0.0, direction=direction, value=value)


def _follows(claim: Claim, known: Collection[Claim]) -> bool:
    if claim in known:
        return True
    if claim.kind in ("supports", "opposes") and claim.part:
        return any(_implies(other, claim) for other in known)
    if claim.kind == "rank" and claim.value == 1:
        return any(
            (one.kind, one.part, one.direction) == ("most_important", claim.part, claim.direction) and not one.shared
            for one in known
        )
    if claim.kind == "equal":  # "as much as" has no order
        turned = replace(claim, part=claim.other, other=claim.part)
        return turned in known or any(_share_first(one, claim) for one in known)
    if claim.kind == "most_important":
        return replace(claim, kind="rank", other=(), value=1.0) in known
    return False


def _share_first(claim: Claim, equal: Claim) -> bool:
    """Whether a claim says of the two parts of another one that they share the first place, which makes them equal."""
    if claim.kind != "most_important" or not claim.shared or claim.direction != (equal.direction or "supports"):
        return False
    pairs = ((equal.part, equal.other), (equal.other, equal.part))
    return any(claim.part == one and set(other or ()) <= set(claim.other or ()) for one, other in pairs)


def _implies(claim: Claim, sign: Claim) -> bool:
    """Whether a claim implies that a part speaks in a direction."""
    part = set(sign.part or ())
    if claim.kind == sign.kind:
        return part <= set(claim.part or ())
    if claim.kind == "share":
        side = "negative" if sign.kind == "opposes" else "positive"
        return claim.of == side and bool(claim.value) and part <= set(claim.part or ())
    if claim.kind not in _SPEAK or (claim.direction or "supports") != sign.kind:
        return False
    if claim.kind in ("equal", "ratio") and claim.direction is None:
        return False
    named = {*(claim.part or ()), *(claim.other or ())} if claim.kind in ("equal", "ratio") else set(claim.part or ())
    return part <= named
