"""The templates of Feldhus et al. 2023, "Saliency Map Verbalization" (template-based SMV), filled only with what is true.

The word » great « is most important for the prediction (46 %). The phrase » fine acting « is also salient (20 %).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.write.naming import PUBLISHED_QUOTES
from verbalize.write.phrases import first_places, say_neither, say_nothing
from verbalize.write.standing import standing
from verbalize.write.style import Limits, Style

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft
    from verbalize.write.standing import Standing


def _say(draft: Draft, limits: Limits) -> None:
    """Fill the published templates with what is true of the map.

    Departures from the published code:

    - The parts are the exact best spans that contain the top token. The published code merges the results of three searches
      and keeps a quartile of them.
    - The percentage is the share of the whole span in the positive scores. The published code omits the span's last token.
    - "Most important" is the part with the highest score; with ties outside the named parts, it is "among the most important".
    - A share below 1 % is written as "under 1 %". The published code leaves out parts below 1 %, even the top one.
    - A word of a span costs `verbalize.write.standing.word_price`, so that spans stay short.
    - A map without positive scores gets a sentence that says so. The published code calls its least negative part "most
      important".
    - The sentences say "the prediction" only if the query is the predicted class. Contrastive queries, groups and other
      classes are named.
    """
    draft.quotes = PUBLISHED_QUOTES
    query, prediction = draft.saliency.query, draft.saliency.prediction
    plain = not query.contrastive and not query.members and (prediction is None or prediction.label == query.label)
    frame = "the prediction" if plain else draft.frame.full
    found = standing(
        draft.evidence,
        "supports",
        max_words=limits.max_words,
        max_spans=limits.max_spans,
        breaks=draft.breaks,
        compounds=draft.compounds,
    )
    if found is not None:
        _say_parts(draft, found, frame)
    elif draft.evidence.positive_mass == 0:
        say_nothing(draft, "supports", frame)
    else:
        say_neither(draft)


def _say_parts(draft: Draft, found: Standing, frame: str) -> None:
    verb = {"top": "is", "equal": "is one of the", "among": "is among the"}[found.form]
    voice = draft.voice("supports")
    for part, claim in zip(found.leads, first_places(found, voice), strict=True):
        _say_part(draft, part, f"{verb} most important for {frame}", [*voice.signs([part]), claim])
    for part in found.also:
        _say_part(draft, part, "is also salient", voice.signs([part]))


def _say_part(draft: Draft, part: Part, said: str, claims: list[Claim]) -> None:
    share = draft.share(part, "positive")
    number = f" ({share[0].removesuffix('%')} %)" if share else ""
    words = "".join(draft.evidence.names[index] for index in part)
    name = draft.name(part, "word" if len(part) == 1 else "span" if "." in words else "phrase")
    draft.say(f"{name} {said}{number}", *claims, *([share[1]] if share else []))


SMV = Style("the templates of Feldhus et al. 2023, filled only with what is true", _say, lengths=("short",))
