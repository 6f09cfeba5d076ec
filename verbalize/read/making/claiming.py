"""Makers of single claims: a side, a place in a ranking, a ratio, next to nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from verbalize.claims.checking import check_against
from verbalize.claims.claim import Claim
from verbalize.read.clause import Unclear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Direction
    from verbalize.read.clause import Clause
    from verbalize.read.resolver import Mention, Named

Base: TypeAlias = Literal["supports", "opposes", "important"]
FAR, SLIGHT = (500.75, 499.25), (1.25, 0.25)  # of a claim "ratio": "far more" is at least 1.5 times, "slightly more" at most
FAR_AHEAD = 1.5  # how many times the score of every other word "by far the most important" has


def direction_of(clause: Clause, base: Base) -> Direction:
    """The side that a clause sees its subject on."""
    against = base == "opposes"
    sides = [side & {"FOR", "AGAINST"} for side in clause.each("side")]
    if {"FOR"} in sides and {"AGAINST"} in sides:
        raise Unclear
    if {"AGAINST"} in sides and (clause.has("neg_adj") or clause.has("pos_adj")):
        raise Unclear
    if clause.has("side") and "AGAINST" in clause.classes("side") and "FOR" not in clause.classes("side"):
        against = not against if base != "important" else True
    if clause.has("neg_adj"):
        against = not clause.has("pos_adj")
    clause.has("pos_adj")  # says nothing more than that the part is on the label's side
    return "opposes" if against else "supports"


def sign(clause: Clause, named: Sequence[Named], base: Base, direction: Direction) -> None:
    """Claim that each part is on the side, or that it matters where the map has no sides."""
    label = clause.target()
    sided = any(map(clause.has, ("pos_adj", "neg_adj")))
    neutral = base == "important" and label[0] is None and not sided and not clause.has("side")
    if clause.evidence.signed and neutral and _of_both_signs(clause, named):
        for one in named:
            clause.claim("matters", one.part, quote=one.mark.quote or None)
        return
    if clause.evidence.signed and base == "important" and clause.memory.plain and not sided and "salient" not in clause.text():
        require_weight(
            clause, [one for one in named if one.part and float(clause.evidence.toward(direction)[list(one.part)].sum()) > 0]
        )
    sided = sided or clause.speaks_of({"EVIDN", "SUPN", "OPPN"})
    kind = "matters" if base == "important" and not clause.evidence.signed and not sided else direction
    for one in named:
        clause.claim(kind, one.part, label=label, quote=one.mark.quote or None)
        if one.part:
            clause.memory.high.append(one.part)


def exhaustive(clause: Clause) -> None:
    """Leave a list that is told as complete unread if it has the right words and not all of them."""
    direction = "opposes" if clause.memory.direction == "opposes" else "supports"
    named = {index for claim in clause.claims for index in claim.part or ()}
    if any(claim.part is None for claim in clause.claims) or not all(check_against(clause.claims, clause.evidence)):
        return
    if set(np.flatnonzero(clause.evidence.toward(direction) > 0).tolist()) - named:
        raise Unclear


def require_weight(clause: Clause, named: Sequence[Named]) -> None:
    """Leave a clause unread that calls a part important which has the right sign and next to no weight."""
    claims = [Claim("matters", one.part) for one in named if one.part]
    if any(truth is not True for truth in check_against(claims, clause.evidence)):
        raise Unclear


def _of_both_signs(clause: Clause, named: Sequence[Named]) -> bool:
    """Whether a list names words for the label and words against it: "both matter" then states no side."""
    signs = {float(clause.evidence.net[list(one.part)].sum()) > 0 for one in named if one.part}
    return len(named) > 1 and len(signs) > 1


def near_zero(clause: Clause, mentions: Sequence[Mention]) -> None:
    """Claim that the parts have almost no importance."""
    for one in clause.resolve(mentions, "least"):
        clause.claim("near_zero", one.part, quote=one.mark.quote or None)


def least(clause: Clause, mentions: Sequence[Mention], direction: Direction | None) -> None:
    """Claim that a part is the least important."""
    if len(mentions) > 1:
        raise Unclear
    shared = clause.has("among")
    for one in clause.resolve(mentions, "least"):
        clause.claim("least_important", one.part, direction=direction, shared=shared, quote=one.mark.quote or None)


def times(clause: Clause, mentions: Sequence[Mention], other: Sequence[Mention], direction: Direction | None) -> None:
    """Claim a ratio: "twice as important as"."""
    if clause.has("neg") or len(mentions) != 1 or len(other) != 1:
        raise Unclear
    names = clause.classes("times")
    value = clause.number("times")
    if value is not None:
        ratio, tolerance = value.within(0.0, 1e6)
    elif "TWICE" in names:
        ratio, tolerance = 2.0, 0.25
    else:
        ratio, tolerance = 0.5, 0.0625
    first, second = clause.resolve(mentions, direction or "supports")[0], clause.resolve(other, direction or "supports")[0]
    quote = (second if second.part is None else first).mark.quote
    clause.claim("ratio", first.part, other=second.part, direction=direction, value=ratio, tolerance=tolerance, quote=quote)


def equal_to_each_other(clause: Clause, named: Sequence[Named], direction: Direction | None, tolerance: float = 0.05) -> None:
    """Claim that the parts of a list are equally important."""
    for one, other in pairwise(named):
        quote = (other if other.part is None else one).mark.quote
        clause.claim("equal", one.part, other=other.part, direction=direction, tolerance=tolerance, quote=quote)


def outranks(
    clause: Clause,
    first: Sequence[Mention],
    second: Sequence[Mention],
    direction: Direction | None,
    grade_of: frozenset[str] = frozenset(),
) -> None:
    """Claim that the first parts are more important than the second; "far" and "slightly" bound the ratio."""
    label = clause.target()
    one = clause.resolve(first, direction or "supports")
    other = clause.resolver.resolve(second, direction or "supports")
    clause.pairs(one, other, "more_important_than", direction=direction, label=label)
    bounds = FAR if grade_of & {"FARMORE", "FARLESS"} else SLIGHT if grade_of & {"SLIGHTLYMORE", "SLIGHTLYLESS"} else None
    if bounds is not None:
        clause.pairs(one, other, "ratio", direction=direction, value=bounds[0], tolerance=bounds[1])


def _by_far(clause: Clause, named: Sequence[Named], stated: Direction | None) -> None:
    """Leave "by far the most important" unread unless the part scores at least 1.5 times as high as any other."""
    toward = clause.evidence.toward(stated) if stated is not None else np.abs(clause.evidence.net)
    part = named[0].part
    if len(named) != 1 or not part:
        return
    others = np.delete(toward, list(part))
    if others.size and float(toward[list(part)].max()) < FAR_AHEAD * float(others.max()):
        raise Unclear


def first(clause: Clause, mentions: Sequence[Mention], stated: Direction | None, *, shared: bool) -> None:
    """Claim that the parts are the most important."""
    named = clause.resolve(mentions, stated or "supports")
    clause.memory.rank = len(named)
    if clause.far():
        _by_far(clause, named, stated)
    for one in named:
        others = tuple(i for other in named if other is not one for i in other.part or ())
        clause.claim(
            "most_important",
            one.part,
            other=others,
            direction=stated,
            shared=shared,
            label=clause.target(),
            quote=one.mark.quote or None,
        )
