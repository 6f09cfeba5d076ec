"""Is a caption pair a description? Refused is what says nothing of an image, or nothing that tells two classes apart."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.order import Names
from agents.prompting.descriptions.pairs import PairDescriptions
from saywhy_core.names import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.pairs import Contrast

    Pair = tuple[int, int]

ALIKE = 0.985
"""Cosine from which two captions say the same. Of FuDD's captions of pets, those that MiniLM puts above it differ as "a cat"
and "a type of cat" do; below 0.97 they also differ in what they say."""

SAME_WORDS = 0.9
"""Without an encoder: the share of words that two captions of one class have in common, from which they say the same."""

_WRITER = re.compile(
    r"\b(?:as an? (?:ai|artificial|(?:large )?language model|assistant)|(?:ai|language) (?:model|assistant)|large language"
    r"|i(?:['’]m| am| was| can| can['’]t| cannot| could| do not| don['’]t| do| will| would| won['’]t| have no| must)"
    r"|i apologi[sz]e|i['’]ve|(?:unable|not able) to (?:provide|help|assist|generate|create|write|describe|fulfil)"
    r"|(?:sorry|apologies|certainly|sure|of course)[,!.]|(?:here (?:is|are)|below (?:is|are)) (?:the|a|an|your|some|two|\d)"
    r"|your request|as requested|the (?:first|second) (?:class|caption|attribute)|this caption|json|cannot be determined"
    r"|not applicable|no (?:visible )?difference|unknown attribute"
    r"|als (?:ki|k[üu]nstliche|sprachmodell)|es tut mir leid|ich kann|entschuldigung"
    r"|en tant qu['’]|je (?:suis d[ée]sol|ne peux)|d[ée]sol[ée],|lo siento|no puedo|como (?:una? )?(?:ia|modelo|inteligencia)"
    r"|mi dispiace|non posso|desculpe|n[ãa]o posso|как (?:ии|языковая)|извините|не могу)\b"
    r"|对不起|抱歉|作为(?:一个)?(?:ai|人工)|我(?:无法|不能)|申し訳|できません|죄송",
    re.IGNORECASE,
)
"""A text about its writer, the task or the reply, and not about an image: so begin refusals in some languages, and phrases that
lead up to a list."""

_PLACEHOLDER = re.compile(
    r"<\s*/?\s*[\w ]{1,40}>|\{[^{}]{0,40}\}|\[(?:class|name|insert|your|attribute|colou?r|shape|description)[^\]]{0,40}\]"
    r"|\b(?:first|second)_caption\b|\battr(?:ibute)?_?(?:type|\d)\b|\bclass[_ ]?(?:name|[abxy1-9])\b"
    r"|\blorem ipsum\b|\bfoo\b|\bxxx+\b"
    r"|\b(?:caption|text|string|description|value)(?: (?:here|for|of) (?:the )?(?:first|second|class)| ?\d+)\b|\btbd\b|\bn/a\b",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the this that of with and photo photos picture pictures image images string text caption description value none "
        "null example here its look has have is",
    )
)
_MARKUP = re.compile(r"</?[a-z]+[^>]*>|&[a-z]{2,6};|https?://|```|\|.*\|", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]+|\(?\d{1,2}[.):]|[a-z][.)])\s+", re.IGNORECASE)

_UNSEEN = re.compile(
    r"\b(?:sounds?|voices?|vocali[sz]\w*|barks?|barking|meow\w*|calls?|songs?|singing|noises?|noise level|loudness"
    r"|smells?|odou?rs?|scents?|fragrance|aroma|tastes?|flavou?rs?|temperatures?"
    r"|temperaments?|personalit\w*|dispositions?|behaviou?rs?|intelligence|intellect|loyalty|friendliness|trainab\w*|obedience"
    r"|sociab\w*|aggress\w*|moods?|energy levels?|activity levels?|instincts?"
    r"|origins?|histor\w*|country|heritage|ancestry|lineage|etymology|names?|naming|spelling|pronunciation"
    r"|price|costs?|market value|life ?spans?|life expectancy|longevity|popularity|fame|rarity|conservation status"
    r"|diets?|feeding habits?|reproduction|breeding|gestation|health|diseases?|hypoallergenic\w*|allergen\w*|grooming needs?"
    r"|maintenance|genetics?|genes?|dna|taxonomy|scientific\w*|classification|inventor|manufacturer|year of \w+|release date"
    r"|top speed|speed|nutritional\w*|calories|shelf life|meaning|symbolism|significance|purpose)\b",
    re.IGNORECASE,
)
"""Attributes that no photo shows. "Size", "setting", "posture", "age" and "expression" may show, and are no part of it."""


Accepted: TypeAlias = tuple[str, tuple[str, str]]
"""An attribute with one caption for each of two classes."""


class Refused(NamedTuple):
    """A caption pair that was not accepted: its attribute, its captions, and why."""

    attribute: str
    captions: tuple[str, str]
    why: str


def tidy(caption: str) -> str:
    """A caption without the mark of a list in front, and without quotation marks around it."""
    text = _LIST_MARK.sub("", caption).strip()
    if len(text) > 1 and text[0] in "\"'“”‘«" and text[-1] in "\"'“”’»":
        text = text[1:-1].strip()
    return " ".join(text.split())


def refusal(attribute: str, captions: tuple[str, str], names: tuple[str, str]) -> str | None:
    """Why an attribute with a caption for each of two classes is no description, in words; None where it is one.

    Args:
        attribute: such as "ear shape".
        captions: one for each class.
        names: the names of the two classes.
    """
    if unseen := _UNSEEN.search(folded(attribute)):
        return f"the attribute {attribute!r:.80} can't be seen in a photo ({unseen[0]})"
    finder = _finder(names)
    rests = []
    for side, caption in enumerate(captions):
        own, other = names[side], names[1 - side]
        plain = _without_names(caption, names)
        if found := _PLACEHOLDER.search(plain):
            return f"{found[0]!r} is a placeholder in the caption for {own!r}"
        if _MARKUP.search(plain):
            return f"the caption for {own!r} holds markup or an address"
        if found := _WRITER.search(plain):
            return f"the caption for {own!r} speaks of its writer or the task ({found[0]!r}), and not of an image"
        named = [number for number, _ in finder.in_text(caption)]
        if named and named[0] != side:
            return f"the caption for {own!r} is about {other!r}"
        words = _content(caption, finder, side)
        if not words:
            return f"the caption for {own!r} says nothing but the name"
        if _repeats(words):
            return f"the caption for {own!r} repeats itself"
        rests.append(words)
    if sorted(set(rests[0])) == sorted(set(rests[1])):
        return "both captions say the same but for the name"
    return None


def judged(
    items: Sequence[tuple[str, tuple[str, str]]], names: tuple[str, str], encoder: ImageTextEncoder | None = None
) -> tuple[list[Accepted], list[Refused]]:
    """Judge the caption pairs of one reply: those that are descriptions, and those that are none, with the reason.

    Args:
        items: attributes, each with one caption for each of the two classes.
        names: the names of the two classes.
        encoder: also finds captions that say the same in other words.
    """
    good: list[Accepted] = []
    refused: list[Refused] = []
    for attribute, given in items:
        captions = (tidy(given[0]), tidy(given[1]))
        why = refusal(attribute, captions, names)
        if why is None:
            good.append((attribute, captions))
        else:
            refused.append(Refused(attribute, captions, why))
    if not good:
        return good, refused
    left, right = (_texts_alike([captions[side] for _, captions in good], encoder) for side in (0, 1))
    between = _sides_alike([captions for _, captions in good], names, encoder)
    kept: list[Accepted] = []
    places: list[int] = []
    for place, (attribute, captions) in enumerate(good):
        if between[place]:
            refused.append(Refused(attribute, captions, "both captions say the same in other words"))
        elif any(left[place, one] and right[place, one] for one in places):
            refused.append(Refused(attribute, captions, "it says the same as an earlier attribute"))
        else:
            kept.append((attribute, captions))
            places.append(place)
    return kept, refused


def usable(pairs: PairDescriptions, class_names: Sequence[str]) -> tuple[PairDescriptions, list[tuple[Pair, Refused]]]:
    """The descriptions of a file that are accepted today, and those that are not, such as refusals kept earlier.

    Args:
        pairs: descriptions of pairs of these classes.
        class_names: the K classes.
    """
    kept: dict[Pair, list[Contrast]] = {}
    refused: list[tuple[Pair, Refused]] = []
    for pair, contrasts in pairs.arranged(class_names).items():
        names = class_names[pair[0]], class_names[pair[1]]
        for contrast in contrasts:
            why = refusal(contrast.attribute, contrast.captions, names)
            if why is None:
                kept.setdefault(pair, []).append(contrast)
            else:
                refused.append((pair, Refused(contrast.attribute, contrast.captions, why)))
    return PairDescriptions(kept, {number: class_names[number] for pair in kept for number in pair}), refused


def _texts_alike(texts: Sequence[str], encoder: ImageTextEncoder | None) -> NDArray[np.bool_]:
    """N x N truth values: which texts say the same."""
    if encoder is not None:
        rows = unit_rows(encoder.encode_texts(list(texts)))
        found: NDArray[np.bool_] = rows @ rows.T >= ALIKE
        return found
    words = [frozenset(re.findall(r"\w+", folded(text))) for text in texts]
    return np.array([[len(a & b) >= SAME_WORDS * len(a | b) for b in words] for a in words], dtype=bool)


def _sides_alike(
    captions: Sequence[tuple[str, str]], names: tuple[str, str], encoder: ImageTextEncoder | None
) -> NDArray[np.bool_]:
    """Which pairs of captions say the same once the names are taken out; by embedding only."""
    if encoder is None:
        return np.zeros(len(captions), dtype=bool)
    bare = [[_without_names(text, names) for text in pair] for pair in captions]
    rows = unit_rows(encoder.encode_texts([text for pair in bare for text in pair])).reshape(len(bare), 2, -1)
    found: NDArray[np.bool_] = (rows[:, 0] * rows[:, 1]).sum(axis=1) >= ALIKE
    return found


@cache
def _finder(names: tuple[str, str]) -> Names:
    return Names(names)


def _without_names(caption: str, names: tuple[str, str]) -> str:
    """The caption with its class names taken out, which may hold any word."""
    text = caption
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    return text


def _content(caption: str, finder: Names, side: int) -> list[str]:
    """The words that say something, in order: without the class's own name and without words such as "a photo of"."""
    rest = finder.without(caption, side)
    return [word for word in re.findall(r"\w+", rest) if word not in _EMPTY_WORDS]


def _repeats(words: Sequence[str]) -> bool:
    """Whether words come again and again, as where a model does not end: most of twelve or more are repetitions."""
    return len(words) >= 12 and len(set(words)) <= len(words) // 3
