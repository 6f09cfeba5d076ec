"""The style "plain": the best spans that speak for the label, then the best that speak against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.write import phrases
from verbalize.write.standing import Standing, standing
from verbalize.write.style import Limits, Style

if TYPE_CHECKING:
    from verbalize.write.draft import Draft

_WORTH_SAYING = 0.02  # share of all evidence; the other direction is left out if it holds less


def say_both_sides(draft: Draft, limits: Limits, *, ranked: bool) -> None:
    """Say what speaks for the label, then what speaks against it. With `ranked`, name single words in order of importance."""
    evidence = draft.evidence
    brief, single = limits.length == "clause", ranked
    words, spans = limits.max_words, limits.max_spans
    against: Standing | None = None
    weight = evidence.negative_mass / (evidence.positive_mass + evidence.negative_mass)
    if not brief and spans > 1 and words > 1 and weight >= _WORTH_SAYING:
        against = standing(evidence, "opposes", max_words=max(1, words // 4), max_spans=1, single=single)
    named = {index for part in against.parts for index in part} if against else set()
    room = (words, spans) if evidence.pixels or not against else (words - len(named), spans - 1)
    supporting = standing(evidence, "supports", max_words=room[0], max_spans=room[1], single=single)
    if supporting is None:
        if evidence.positive_mass == 0:
            phrases.say_nothing(draft, "supports", draft.frame.full)
        against = standing(evidence, "opposes", max_words=words, max_spans=spans, single=single)
        if against is None:
            phrases.say_neither(draft)
        elif not (brief and draft.sentences):
            _say_direction(draft, limits, against, draft.frame.pronoun if draft.sentences else draft.frame.full, ranked=ranked)
        return
    _say_direction(draft, limits, supporting, draft.frame.full, ranked=ranked)
    if brief:
        return
    if against is not None:
        _say_direction(draft, limits, against, draft.frame.pronoun, ranked=ranked)
    if limits.length == "paragraph":
        phrases.say_balance(draft, against)


def _say_direction(draft: Draft, limits: Limits, found: Standing, frame: str, *, ranked: bool) -> None:
    also = found.also
    if ranked and found.form == "top":
        also = phrases.say_ranks(draft, found, frame)
    else:
        phrases.say_leads(draft, found, frame, brief=limits.length == "clause")
    if limits.length == "clause":
        return
    if also:
        phrases.say_also(draft, also, found.leads, found.direction)
    if limits.length == "paragraph":
        if not ranked:
            phrases.say_comparison(draft, found)
        phrases.say_rest(draft, found)


def _say(draft: Draft, limits: Limits) -> None:
    say_both_sides(draft, limits, ranked=False)


PLAIN = Style("the parts that decided, in sentences", _say)
