"""From what a clause says of a part (which side, how much, more than what) to claims."""
# ruff: noqa: E501 - word lists and patterns are easier to read unbroken

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.checking import check_against
from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import (
    Base,
    direction_of,
    equal_to_each_other,
    first,
    least,
    near_zero,
    outranks,
    sign,
    times,
)
from verbalize.read.marking.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim, Direction
    from verbalize.read.clause import Clause
    from verbalize.read.resolver import Mention

_STRONG, _WEAK = (0.75, 0.25), (0.25, 0.25)  # value and tolerance of a claim "strength"
_GRADED = (
    "gt",
    "lt",
    "eq",
    "times",
    "top",
    "topn",
    "rank",
    "low",
    "neg",
    "zero",
    "little",
    "strong",
    "weak",
    "other",
    "rest",
    "among",
)
_SHARED = frozenset({"EQUALLY", "SOME"})


def grade(clause: Clause, base: Base) -> None:
    """Make the claims of a clause that says of its subject that it speaks for the label, and how much.

    What counts is what the pattern captured: `neg` (a negation), `deg` (an adverb of degree), `top`, `low`, `rank`, `gt`, `lt`,
    `eq`, `times`, `other`, `rest`, `zero`, `little`, `strong`, `weak`, `among`, `target`, `side`, `neg_adj`.
    """
    mentions = clause.subject
    if not mentions:
        raise Unclear
    direction = direction_of(clause, base)
    if base == "important" and clause.evidence.signed and _among_opponents(clause, mentions):
        direction = "opposes"
    sided = clause.has("pos_adj") or clause.has("neg_adj")
    stated = None if base == "important" and not clause.evidence.signed and not sided else direction
    clause.memory.direction, clause.memory.kind = direction, base
    clause.memory.plain = not any(map(clause.has, _GRADED)) and not clause.classes("deg")
    if clause.has("top") or clause.has("rank") or clause.has("gt") or clause.has("lt"):
        clause.memory.rank = None
    degrees = clause.classes("deg")
    aim = direction
    negated = clause.has("neg")
    label = clause.target()
    if (clause.has("other") or clause.has("rest")) and not any(map(clause.has, ("gt", "lt", "eq", "times"))):
        raise Unclear
    _contradictory(clause, degrees)
    if "absolute" in clause.text():  # of sizes, without their signs
        raise Unclear
    if "moderately" in clause.words("deg"):
        raise Unclear
    if clause.has("gt") or clause.has("lt"):
        _compared(clause, mentions, stated)
    elif clause.has("times"):
        times(clause, mentions, clause.mentions("other"), stated)
    elif clause.has("eq"):
        _equal(clause, mentions, stated)
    elif clause.has("top") or clause.has("topn") or degrees & {"MOST", "TOPADV"} or clause.has("rank") or "ORDINAL" in degrees:
        _top(clause, mentions, base, direction, stated)
    elif clause.has("low") and clause.evidence.signed and "lowest" in clause.text() and "score" in clause.text():
        if negated or not (clause.evidence.net < 0).any():
            raise Unclear
        sign(clause, clause.resolve(mentions, "opposes"), "opposes", "opposes")
        first(clause, mentions, "opposes", shared=clause.has("among"))
    elif clause.has("low") or degrees & {"LEAST", "LEASTADV"}:
        if negated:
            raise Unclear
        if base != "important" or clause.has("neg_adj") or clause.has("pos_adj"):
            sign(clause, clause.resolve(mentions, aim), base, direction)
        least(clause, mentions, stated if base != "important" else None)
    elif clause.has("zero"):
        if negated:
            raise Unclear
        near_zero(clause, mentions)
    elif negated:
        _negated(clause, mentions, base, direction)
    elif clause.has("little"):
        for one in clause.resolve(mentions, "least"):
            clause.claim("strength", one.part, direction=None, value=_WEAK[0], tolerance=_WEAK[1], quote=one.mark.quote or None)
    else:
        named = clause.resolve(mentions, aim)
        sign(clause, named, base, direction)
        strength = (
            _STRONG if clause.has("strong") or "DEGS" in degrees else _WEAK if clause.has("weak") or "DEGW" in degrees else None
        )
        if strength is not None:
            for one in named:
                clause.claim(
                    "strength",
                    one.part,
                    direction=stated,
                    value=strength[0],
                    tolerance=strength[1],
                    label=label,
                    quote=one.mark.quote or None,
                )
        if len(mentions) > 1 and degrees & _SHARED:
            equal_to_each_other(clause, named, stated)
    if base == "important" and label[0] is None and not any(map(clause.has, ("side", "neg_adj", "pos_adj"))):
        either_sense(clause, mentions)
    if clause.has("after") and not (clause.has("top") or clause.has("topn") or degrees & {"MOST", "TOPADV"}):
        raise Unclear
    clause.numbers(mentions, direction)
    if clause.has("unlike"):
        _unlike(clause, base, direction, stated)


def _contradictory(clause: Clause, degrees: frozenset[str]) -> None:
    """Refuse a clause that states degrees of two kinds, such as "weakly ... most"."""
    stated = [
        any(map(clause.has, ("gt", "lt"))), clause.has("times"), clause.has("eq"),
        any(map(clause.has, ("top", "topn", "rank"))) or bool(degrees & {"MOST", "TOPADV"}), clause.has("low") or bool(degrees & {"LEAST", "LEASTADV"}),
        clause.has("zero"), clause.has("little"), bool(degrees & {"DEGS", "DEGW"}) or clause.has("weak"),
    ]  # fmt: skip
    if (
        sum(stated) > 1
        or (clause.has("strong") and (clause.has("weak") or clause.has("zero")))
        or (clause.has("gt") and clause.has("lt"))
    ):
        raise Unclear


def either_sense(clause: Clause, mentions: Sequence[Mention]) -> None:
    """Leave a clause unread that is true of support and false of the size of scores, or the other way round.

    "'great' is more important than 'dull'" without a label may mean either. Where it speaks of scores, it means their sign, too.
    """
    if not clause.evidence.signed or any(
        "score" in token.text or "attribution" in token.text for token in clause.tokens[clause.start : clause.stop]
    ):
        return
    verdicts = [
        (claim, truth) for claim, truth in zip(clause.claims, check_against(clause.claims, clause.evidence), strict=True)
    ]
    for claim, truth in verdicts:
        sized = _by_size(clause, claim)
        if sized is not None and truth is not None and sized != truth:
            raise Unclear
    if all(truth is not False for _, truth in verdicts):
        return
    parts = [one.part for one in clause.resolve(mentions, "opposes")]
    net = clause.evidence.net
    if all(part and float(net[list(part)].sum()) < 0 for part in parts):
        raise Unclear


def _by_size(clause: Clause, claim: Claim) -> bool | None:
    """Whether a claim of rank holds of the sizes of scores; `None` for other claims."""
    if claim.shared or (claim.kind == "most_important" and claim.other):
        return None  # "among the most important" is too vague for it
    if not claim.part or claim.direction == "opposes" or claim.kind not in ("most_important", "more_important_than", "rank"):
        return None
    size = np.abs(clause.evidence.net)
    top = float(size[list(claim.part)].max())
    outside = np.delete(size, list(claim.part))
    if claim.kind == "most_important":
        return not outside.size or top > float(outside.max())
    if claim.kind == "rank":
        place = 1 + int((outside > top).sum())
        return abs(place - (claim.value or 0.0)) <= claim.tolerance + 0.5
    return bool(claim.other) and top > float(size[list(claim.other or ())].max())


def _unlike(clause: Clause, base: Base, direction: Direction, stated: Direction | None) -> None:
    """Reads "'great', not 'dull', supports it": what is said of the one part is not true of the other."""
    other = clause.mentions("unlike")
    if clause.has("top") or clause.has("topn") or clause.classes("deg") & {"MOST", "TOPADV"}:
        outranks(clause, clause.subject, other, stated)
    elif not clause.memory.plain:
        raise Unclear
    elif base == "important":
        near_zero(clause, other)
    else:
        of = "negative" if direction == "opposes" else "positive"
        for one in clause.resolver.resolve(other, "opposes" if direction == "supports" else "supports"):
            clause.claim("share", one.part, value=0.0, tolerance=0.0, of=of, quote=one.mark.quote or None)


def grade_inverted(clause: Clause, base: Base = "important") -> None:
    """Like `grade`, of the parts that the clause names last: "high scores are given to 'great'"."""
    clause.subject = clause.mentions("part")
    grade(clause, base)


def _among_opponents(clause: Clause, mentions: Sequence[Mention]) -> bool:
    """Whether a comparison follows words that speak against the label and is about such words: then it is about that side."""
    if (
        clause.memory.direction != "opposes"
        or not clause.has("other")
        or any(map(clause.has, ("target", "side", "pos_adj", "neg_adj")))
    ):
        return False
    named = clause.resolve([*mentions, *clause.mentions("other")], "opposes")
    return all(one.part and float(clause.evidence.net[list(one.part)].sum()) < 0 for one in named)


def _compared(clause: Clause, mentions: Sequence[Mention], stated: Direction | None) -> None:
    other, negated = clause.mentions("other"), clause.has("neg")
    more = clause.has("gt")
    names = clause.classes("gt") | clause.classes("lt")
    if clause.has("rest"):
        if negated or not more or len(mentions) != 1:
            if not negated and not more and len(mentions) == 1:
                least(clause, mentions, None)
                return
            raise Unclear
        first(clause, mentions, stated, shared=False)
        return
    if not other:  # "is important, while 'acting' is less so": less than the parts named before
        before = clause.memory.subject
        if not before or negated or {mention.quote for mention in before} & {mention.quote for mention in mentions}:
            raise Unclear
        other = before
    if negated:
        if names & {"FARMORE", "FARLESS", "SLIGHTLYMORE", "SLIGHTLYLESS"}:
            raise Unclear
        more = not more
    if more:
        outranks(clause, mentions, other, stated, names)
    else:
        outranks(clause, other, mentions, stated, names)


def _equal(clause: Clause, mentions: Sequence[Mention], stated: Direction | None) -> None:
    other = clause.mentions("other")
    if clause.has("rest") or not other:
        if clause.has("rest") or len(mentions) < 2:
            raise Unclear
        if clause.has("neg"):
            raise Unclear
        equal_to_each_other(clause, clause.resolve(mentions, stated or "supports"), stated)
        return
    if clause.has("neg"):  # "not as important as"
        outranks(clause, other, mentions, stated)
        return
    first, second = clause.resolve(mentions, stated or "supports"), clause.resolver.resolve(other, stated or "supports")
    clause.pairs(first, second, "equal", direction=stated, tolerance=0.05)


def _top(clause: Clause, mentions: Sequence[Mention], base: Base, direction: Direction, stated: Direction | None) -> None:
    places = [
        value
        for name in ("rank", "deg", "topn", "top")
        for value in clause.values(name)
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    words = clause.words("topn")
    if len(places) > 1 or (clause.has("top") and words in ("first", "most")) or words == "most most":  # "the second first"
        raise Unclear
    place = places[0] if places else None
    count = clause.number("among") if clause.has("among") else None
    shared = clause.has("among") or clause.has("shared") or bool(clause.classes("deg") & _SHARED)
    if clause.has("neg"):
        if len(mentions) != 1 or shared or place is not None:
            raise Unclear
        one = clause.resolve(mentions, direction)[0]
        total = max(2, len(clause.evidence))
        clause.claim(
            "rank", one.part, direction=stated, value=(2 + total) / 2, tolerance=(total - 2) / 2, quote=one.mark.quote or None
        )
        return
    if place == 0:  # "the next most important": after the place that was said before
        if clause.memory.rank is None:
            raise Unclear
        place = clause.memory.rank + 1
    if place is not None and place > 1:
        if len(mentions) != 1 or shared:
            raise Unclear
        named = clause.resolve(mentions, direction)
        sign(clause, named, base, direction)
        clause.memory.rank = place
        for one in named:
            clause.claim(
                "rank", one.part, direction=stated, value=float(place), label=clause.target(), quote=one.mark.quote or None
            )
        return
    if count is not None:
        named = clause.resolve(mentions, direction)
        if not isinstance(count, Number) or count.value < len(mentions):
            raise Unclear
        sign(clause, named, base, direction)
        for one in named:
            clause.claim(
                "rank",
                one.part,
                direction=stated,
                value=(1 + count.value) / 2,
                tolerance=(count.value - 1) / 2,
                shared=True,
                quote=one.mark.quote or None,
            )
        return
    named = clause.resolve(mentions, direction)
    sign(clause, named, base, direction)
    first(clause, mentions, stated, shared=shared)
    if shared and not clause.has("among") and len(mentions) > 1:
        equal_to_each_other(clause, named, stated)
    if clause.has("after"):  # "after 'great', 'fine' matters most"
        before = clause.mentions("after")
        clause.claims[:] = [claim for claim in clause.claims if claim.kind != "most_important"]
        if len(before) != 1 or len(mentions) != 1:
            raise Unclear
        first(clause, before, stated, shared=False)
        clause.claim("rank", named[0].part, direction=stated, value=2.0, quote=named[0].mark.quote or None)
        clause.memory.rank = 2


def _negated(clause: Clause, mentions: Sequence[Mention], base: Base, direction: Direction) -> None:
    degrees = clause.classes("deg")
    graded = bool(degrees & {"DEGS", "DEGW", "DEGM"}) or clause.has("strong") or clause.has("weak")
    if graded and (base != "important" or ("DEGS" not in degrees and not clause.has("strong"))):
        raise Unclear
    if graded:  # "not very important"
        for one in clause.resolve(mentions, "least"):
            clause.claim("strength", one.part, direction=None, value=_WEAK[0], tolerance=_WEAK[1], quote=one.mark.quote or None)
        return
    if base == "important":
        near_zero(clause, mentions)
        return
    if "HARDLY" in clause.classes("neg"):
        raise Unclear
    of = "negative" if direction == "opposes" else "positive"
    for one in clause.resolve(mentions, "opposes" if direction == "supports" else "supports"):
        clause.claim("share", one.part, value=0.0, tolerance=0.0, of=of, label=clause.target(), quote=one.mark.quote or None)
