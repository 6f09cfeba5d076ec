"""Decides of which mass a number in a text states a share."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verbalize.read.marking import lexicon as words

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction, ShareOf
    from verbalize.read.marking.numbers import Number

_NOUN = re.compile(
    r"^,? ?(?:of|in) (?:(?P<all>all (?:of )?(?:the )?|the (?:total|overall|whole|entire|absolute) )|the |its )?(?P<kind>positive |supporting |negative |opposing )?"
    r"(?P<noun>evidence|importance|attribution|saliency|weight|mass|support|opposition|score|explanation|decision|prediction|influence|relevance)"
    r"(?P<side> (?:speaking |that speaks )?(?:for|against|in favou?r))?"
)
_SCORE_BEFORE = re.compile(
    r"(?:scor\w*|importances?|weights?|values?|attributions?|relevance|salienc\w+|at)(?: (?:score|scores|value|weight|that|which|is|are|was|of|at|a|an|only|just|the|for|around|with|being|equals?|stands|as|high|low|to|and))*(?: ?[:=(] ?| )$"
)


def share_of(before: str, after: str, number: Number, direction: Direction) -> ShareOf | None:
    """The mass that a number refers to, by the words before and after it; `None` if the number is not about evidence."""
    sided: ShareOf = "negative" if direction == "opposes" else "positive"
    match = _NOUN.match(after)
    if match:
        side, kind = match["side"] or "", match["kind"] or ""
        if "against" in side or kind.strip() in ("negative", "opposing") or match["noun"] == "opposition":
            return "negative"
        if side or kind or match["noun"] == "support":
            return "positive"
        return "absolute" if match["all"] or match["noun"] not in ("evidence", "explanation") else sided
    if number.percent:
        return sided if number.exact or words.GIVEN.search(before) else None
    if _SCORE_BEFORE.search(before) or re.match(r" (?:importance|saliency|attribution|score)", after):
        return "score"
    if re.search(r"[(\[] ?$", before):
        return "score"
    return "score" if number.exact and words.GIVEN.search(before + after) else None
