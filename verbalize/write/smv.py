"""The sentences of Feldhus et al. 2023, "Saliency Map Verbalization" (their template-based SMV), held to the truth.

The word » great « is most important for the prediction (46 %). The phrase » fine acting « is also salient (20 %).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.write.naming import PUBLISHED_QUOTES
from verbalize.write.phrases import first_places, say_nothing
from verbalize.write.standing import standing
from verbalize.write.style import Limits, Style

if TYPE_CHECKING:
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft
    from verbalize.write.standing import Standing


def _say(draft: Draft, limits: Limits) -> None:
    """Fill the published templates with what is true.

    Departures from the published code: the parts are the exact best spans with the top token held, not the quartile of three
    searches merged; the percentage is the whole span's share of the positive scores (published: its last token was cut off);
    "most important" is said of the part with the top score, "among the most important" where outsiders tie with it; a part
    below 1 % is named without a number (published: left out, the top one too); a map with no positive score is said to
    have none (published: its least negative part was "most important"). A prediction that is known to be another class
    than the query's, a contrastive query and a group are spoken of by name, not as "the prediction".
    """
    draft.quotes = PUBLISHED_QUOTES
    query, prediction = draft.saliency.query, draft.saliency.prediction
    plain = not query.contrastive and not query.members and (prediction is None or prediction.label == query.label)
    frame = "the prediction" if plain else draft.frame.full
    found = standing(draft.evidence, "supports", max_words=limits.max_words, max_spans=limits.max_spans)
    if found is not None:
        _say_parts(draft, found, frame)
    elif draft.evidence.positive_mass == 0:
        say_nothing(draft, "supports", frame)
    else:
        draft.say(f"no region as a whole speaks for {frame}")


def _say_parts(draft: Draft, found: Standing, frame: str) -> None:
    verb = {"top": "is", "equal": "is one of the", "among": "is among the"}[found.form]
    for part, claim in zip(found.leads, first_places(found), strict=True):
        _say_part(draft, part, f"{verb} most important for {frame}", [Claim("supports", part), claim])
    for part in found.also:
        _say_part(draft, part, "is also salient", [Claim("supports", part)])


def _say_part(draft: Draft, part: Part, said: str, claims: list[Claim]) -> None:
    share = draft.share(part, "supports")
    number = f" ({share[0].removesuffix('%')} %)" if share else ""
    words = "".join(draft.evidence.names[index] for index in part)
    name = draft.name(part, "word" if len(part) == 1 else "span" if "." in words else "phrase")
    draft.say(f"{name} {said}{number}", *claims, *([share[1]] if share else []))


SMV = Style("the published templates of Feldhus et al. 2023, made true", _say, lengths=("short",))
