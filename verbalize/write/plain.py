"""The style "plain": the best spans that speak for the label, then the best that speak against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.write import phrases
from verbalize.write.standing import standing
from verbalize.write.style import Limits, Style

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction
    from verbalize.write.draft import Draft
    from verbalize.write.standing import Standing

_WORTH_SAYING = 0.02  # share of all evidence; the weaker direction is left out if it holds less, or ...
_WORTH_NAMING = 0.01  # ... if its strongest part holds less


def say_both_sides(draft: Draft, limits: Limits, *, ranked: bool) -> None:
    """Say what speaks for the label, then what speaks against it. With `ranked`, name single words in order of importance.

    The direction with less evidence gets one part and a quarter of the words. Of an unsigned map, only what matters is said.
    """
    supporting, against = _both(draft, limits, ranked=ranked)
    brief, full = limits.length == "clause", draft.frame.full
    if supporting is None and draft.evidence.signed and draft.evidence.positive_mass == 0:
        phrases.say_nothing(draft, "supports", full)
    elif supporting is None and against is None:
        phrases.say_neither(draft)
    for found in (supporting, against):
        if found is not None and not (brief and draft.sentences):
            frame = draft.frame.pronoun if draft.sentences else full
            phrases.say_direction(draft, found, frame, limits.length, ranked=ranked)
    if limits.length != "paragraph":
        return
    leading = supporting or against
    if leading and not ranked:
        phrases.say_comparison(draft, leading)
    phrases.say_rest(draft, supporting, against)
    if draft.evidence.signed and supporting is not None:
        phrases.say_balance(draft, against)


def _both(draft: Draft, limits: Limits, *, ranked: bool) -> tuple[Standing | None, Standing | None]:
    evidence = draft.evidence

    def best(direction: Direction, words: int, spans: int) -> Standing | None:
        return standing(
            evidence, direction, max_words=words, max_spans=spans, single=ranked, breaks=draft.breaks, compounds=draft.compounds
        )

    words, spans = limits.max_words, limits.max_spans
    weight = evidence.negative_mass / (evidence.positive_mass + evidence.negative_mass)
    two_sided = limits.length != "clause" and spans > 1 and words > 1 and weight >= _WORTH_SAYING
    sides: tuple[Direction, Direction] = ("supports", "opposes") if weight <= 0.5 else ("opposes", "supports")
    if not two_sided:
        supporting = best("supports", words, spans)
        return supporting, None if supporting or not evidence.signed else best("opposes", words, spans)
    lesser = best(sides[1], max(1, words // 4), 1)
    if lesser and sides[1] == "opposes" and evidence.mass(lesser.most, "absolute") < _WORTH_NAMING * evidence.total("absolute"):
        lesser = None
    named = {index for part in lesser.parts for index in part} if lesser else set()
    room = (words, spans) if evidence.pixels or not lesser else (words - len(named), spans - 1)
    greater = best(sides[0], *room)
    return (greater, lesser) if sides[0] == "supports" else (lesser, greater)


def _say(draft: Draft, limits: Limits) -> None:
    say_both_sides(draft, limits, ranked=False)


PLAIN = Style("the parts that decided, in sentences", _say)
