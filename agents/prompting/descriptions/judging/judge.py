"""Which caption pairs of a reply are descriptions, and why the others are none."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.prompting.descriptions.judging.alike import Likeness, meaning
from agents.prompting.descriptions.judging.named import Finder, wrong_class
from agents.prompting.descriptions.judging.unseen import unseen_attribute, unseen_caption
from agents.prompting.descriptions.judging.words import words
from agents.prompting.descriptions.pairs import PairDescriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.pairs import Contrast

    Pair = tuple[int, int]

_WRITER = re.compile(
    r"\b(?:as an? (?:ai|artificial|(?:large )?language model|assistant)|(?:ai|language) (?:model|assistant)|large language"
    r"|i(?:['’]m| am| was| can| can['’]t| cannot| could| do not| don['’]t| do| will| would| won['’]t| have no| must| need)"
    r"|i apologi[sz]e|i['’]ve|(?:unable|not able) to (?:provide|help|assist|generate|create|write|describe|see)"
    r"|(?:sorry|apologies|certainly|sure|of course)[,!.]|(?:here (?:is|are)|below (?:is|are)) (?:the|a|an|your|some|two|\d)"
    r"|your request|as requested|the (?:first|second) class is|\((?:first|second) class\)"
    r"|(?:write|give|create) (?:a|the|one) caption"
    r"|what do(?:es)? the|ignore (?:all )?previous|as (?:shown|seen) in the (?:image|picture|photo)|kann ich|nicht beschreiben"
    r"|(?:the (?:first|second) (?:caption|attribute)|(?:than|unlike|from|of) the (?:first|second) class)"
    r"|(?:same as|see|as) (?:above|before|described|mentioned)|this caption|json|(?:cannot|can['’]t) be "
    r"(?:determined|described|distinguished)|not (?:applicable|available|provided|specified)|no (?:visible )?differences?"
    r"|unknown attribute|no information|i (?:cannot|can)"
    r"|als (?:ki|k[üu]nstliche|sprachmodell)|es tut mir leid|ich kann|entschuldigung"
    r"|en tant qu['’]|je (?:suis d[ée]sol|ne peux)|d[ée]sol[ée]e?|lo siento|no puedo|como (?:una? )?(?:ia|modelo|inteligencia)"
    r"|mi dispiace|non posso|come (?:un )?(?:modello|ia)|desculpe|n[ãa]o posso|als een ai|het spijt me|ik kan|przepraszam"
    r"|nie mogę|üzgünüm|yapamam|как (?:ии|языковая)|извините|не могу)\b"
    r"|对不起|抱歉|作为(?:一个|一名)?(?:ai|人工)|我(?:无法|不能)|申し訳|できません|죄송|آسف|لا أستطيع",
    re.IGNORECASE,
)
"""A text about its writer, the task or the reply, and not about an image: so begin refusals in some languages, and phrases that
lead up to a list."""

_PLACEHOLDER = re.compile(
    r"<\s*/?\s*[\w -]{1,40}>|\{[^{}]{0,40}\}|\[[a-z][\w -]{1,40}\]|_{3,}|%[sd]\b"
    r"|\b(?:with|a|an|has)\s\.{3}|\bcaption (?:one|two|for)\b|\bhas this (?:attribute|feature|property)\b"
    r"|\b(?:first|second)_caption\b|\bprompt_pair\b|\battr(?:ibute)?[_ ]?(?:type|name|\d+)\b|\bclass[_ ]?(?:name|[abxy1-9])\b"
    r"|(?:^|\bof )(?:an? |the )?(?:first|second) (?:class|caption)\s*(?:$|[,.:;]|with\b|has\b)"
    r"|\blorem ipsum\b|\bfoo(?: ?bar)?\b|\bx{3,}\b|\b(?:your|insert) \w+ here\b|\btodo\b"
    r"|\b(?:caption|text|string|description|value)(?: (?:here|for|of) (?:the )?(?:first|second|class)| ?\d+)\b|\btbd\b|\bn/a\b",
    re.IGNORECASE,
)
_FIELDS = words("schema")
"""Words of schemas; alone, they are what a model puts where it has nothing to say."""

EMPTY = words("empty")
"""Words that say nothing of an image: those that lead up to a name, articles, and what joins other words."""
_EMPTY_SIGNS = re.compile("一张|一張|一只|一隻|的?照片|的?图片|的?圖片|の?写真|의? ?사진")
_VAGUE = words("vague")
_DIMENSIONS = words("dimensions")
"""What may be distinctive. A caption that says no more than "a distinctive shape" says nothing."""
_MARKUP = re.compile(r"</?[a-z]+[^>]*>|&[a-z]{2,6};|https?://|```|\*\*|(?:^|\s)#{1,6}\s|\|.*\||\]\(|\\n", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]+|\(?\d{1,2}[.):]|\(?[a-z][.)])\s+", re.IGNORECASE)
_AROUND = re.compile(r"\*\*(?P<bold>.+)\*\*|\*(?P<slanted>[^*]+)\*|[\"'“”‘«„](?P<quoted>.+)[\"'“”’»‟]")
_LIST_WITHIN = re.compile(r"[\s,;]2[.)]\s+[^\W\d]")

KINDS = {
    "unseen": "about what no photo shows",
    "placeholder": "a placeholder",
    "markup": "markup or a list",
    "writer": "about the writer or the task",
    "other class": "about another class",
    "name only": "nothing but the name",
    "vague": "nothing that can be seen",
    "repetition": "repetitions",
    "same": "the same of both classes",
    "near-duplicate": "the same as another caption",
}
"""The kinds of reasons for which captions are refused, in words for a count."""

Accepted: TypeAlias = tuple[str, tuple[str, str]]
"""An attribute with one caption for each of two classes."""


class Refused(NamedTuple):
    """A caption pair that was not accepted: its attribute, its captions, why, and the kind of reason, one of `KINDS`."""

    attribute: str
    captions: tuple[str, str]
    why: str
    kind: str = ""


class Judge:
    """Judges caption pairs of classes.

    Args:
        class_names: the K classes; captions may be about none but their own.
        encoder: also finds captions that say the same in other words.
    """

    def __init__(self, class_names: Sequence[str], encoder: ImageTextEncoder | None = None) -> None:
        self.class_names = tuple(class_names)
        self._finder = _finder(self.class_names)
        self._likeness = None if encoder is None else Likeness(encoder, EMPTY)

    def refused(self, pair: Pair, attribute: str, captions: tuple[str, str]) -> Refused | None:
        """Why an attribute with a caption for each of two classes is no description; None where it is one."""
        found = self._reason(pair, attribute, captions)
        return None if found is None else Refused(attribute, captions, found[1], found[0])

    def judge(self, pair: Pair, items: Sequence[Accepted]) -> tuple[list[Accepted], list[Refused]]:
        """Judge the caption pairs of one reply: those that are descriptions, and those that are none, with the reason.

        Args:
            pair: the numbers of the two classes.
            items: attributes, each with one caption for each of the two classes.
        """
        good: list[Accepted] = []
        refused: list[Refused] = []
        for attribute, given in items:
            captions = (tidy(given[0]), tidy(given[1]))
            found = self.refused(pair, attribute, captions)
            if found is None:
                good.append((attribute, captions))
            else:
                refused.append(found)
        return self._without_repeats(pair, good, refused)

    def _reason(self, pair: Pair, attribute: str, captions: tuple[str, str]) -> tuple[str, str] | None:
        if unseen := unseen_attribute(attribute):
            return "unseen", f"the attribute {attribute!r:.80} can't be seen in a photo ({unseen})"
        if found := _PLACEHOLDER.search(attribute):
            return "placeholder", f"the attribute {found[0]!r} is a placeholder"
        for side in (0, 1):
            if reason := self._reason_for_one(captions[side], pair[side], pair[1 - side]):
                return reason
        said = [self._meaning(pair, text) for text in captions]
        return ("same", "both captions say the same but for the name") if said[0] == said[1] else None

    def _reason_for_one(self, caption: str, own: int, other: int) -> tuple[str, str] | None:
        name = f"the caption for {self.class_names[own]!r}"
        # class names may hold any word
        plain = self._finder.without(caption)
        if found := _PLACEHOLDER.search(plain):
            return "placeholder", f"{found[0]!r} is a placeholder in {name}"
        if _MARKUP.search(plain) or _LIST_WITHIN.search(plain):
            return "markup", f"{name} holds markup, an address or a list"
        if found := _WRITER.search(plain):
            return "writer", f"{name} speaks of its writer or the task ({found[0]!r}), and not of an image"
        wrong = wrong_class(self._finder, caption, own, other)
        if wrong is not None:
            return "other class", f"{name} is about {self.class_names[wrong]!r}"
        own_left_out = self._finder.without(caption, own)
        words = [word for word in re.findall(r"\w+", _EMPTY_SIGNS.sub(" ", own_left_out)) if word not in EMPTY]
        if not words:
            given = [word for word in re.findall(r"\w+", plain) if word in _FIELDS]
            if given:
                return "placeholder", f"{given[0]!r} is a placeholder in {name}"
            return "name only", f"{name} says nothing but the name"
        if all(word in _FIELDS for word in words):
            return "placeholder", f"{words[0]!r} is a placeholder in {name}"
        if all(word in _VAGUE or word in _DIMENSIONS for word in words) and any(word in _VAGUE for word in words):
            return "vague", f"{name} says nothing that can be seen ({' '.join(words)!r:.80})"
        if unseen := unseen_caption(own_left_out):
            return "unseen", f"{name} says nothing that a photo shows ({unseen!r})"
        if _repeats(words):
            return "repetition", f"{name} repeats itself"
        return None

    def _meaning(self, pair: Pair, text: str) -> object:
        """What a caption says, without the names of the two classes; where only a name is left, as in a comparison, with it."""
        own = self._finder
        rest = text
        for number in pair:
            rest = own.without(rest, number)
        return meaning(rest, EMPTY)

    def _without_repeats(
        self, pair: Pair, good: list[Accepted], refused: list[Refused]
    ) -> tuple[list[Accepted], list[Refused]]:
        """Leave out captions that say the same as each other, or as those of an earlier attribute on both sides."""
        bare = [[" ".join(self._bare(pair, text).split()) for text in captions] for _, captions in good]
        earlier = [(place, one) for place in range(len(good)) for one in range(place)]
        compared = [(first, second) for first, second in bare]
        compared += [(bare[one][side], bare[place][side]) for place, one in earlier for side in (0, 1)]
        alike = self._alike(compared)
        across, within = alike[: len(good)], alike[len(good) :]
        same = {both for at, both in enumerate(earlier) if within[2 * at] and within[2 * at + 1]}
        kept: list[int] = []
        for place, (attribute, captions) in enumerate(good):
            if across[place]:
                why = "both captions say the same in other words"
            elif any((place, one) in same for one in kept):
                why = "it says the same as an earlier attribute"
            else:
                kept.append(place)
                continue
            refused.append(Refused(attribute, captions, why, "near-duplicate"))
        return [good[place] for place in kept], refused

    def _alike(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        same = [meaning(first, EMPTY) == meaning(second, EMPTY) for first, second in pairs]
        if self._likeness is None or not pairs:
            return same
        return [one or other for one, other in zip(same, self._likeness.alike(pairs), strict=True)]

    def _bare(self, pair: Pair, text: str) -> str:
        return self._finder.without(self._finder.without(text, pair[0]), pair[1])


def tidy(caption: str) -> str:
    """A caption without the mark of a list in front, and without quotation marks or asterisks around it."""
    text = " ".join(_LIST_MARK.sub("", caption).split())
    while (around := _AROUND.fullmatch(text)) is not None:
        text = next(found for found in around.groups() if found).strip()
    return text


def refusal(attribute: str, captions: tuple[str, str], names: tuple[str, str]) -> str | None:
    """Why an attribute with a caption for each of two classes is no description, in words; None where it is one.

    Args:
        attribute: such as "ear shape".
        captions: one for each class.
        names: the names of the two classes.
    """
    found = Judge(names).refused((0, 1), attribute, captions)
    return None if found is None else found.why


def usable(pairs: PairDescriptions, class_names: Sequence[str]) -> tuple[PairDescriptions, list[tuple[Pair, Refused]]]:
    """The descriptions of a file that are accepted today, and those that are not, such as refusals kept earlier.

    Args:
        pairs: descriptions of pairs of these classes.
        class_names: the K classes.
    """
    judge = Judge(class_names)
    kept: dict[Pair, list[Contrast]] = {}
    refused: list[tuple[Pair, Refused]] = []
    for pair, contrasts in pairs.arranged(class_names).items():
        for contrast in contrasts:
            found = judge.refused(pair, contrast.attribute, contrast.captions)
            if found is None:
                kept.setdefault(pair, []).append(contrast)
            else:
                refused.append((pair, found))
    return PairDescriptions(kept, {number: class_names[number] for pair in kept for number in pair}), refused


@lru_cache(maxsize=8)
def _finder(class_names: tuple[str, ...]) -> Finder:
    return Finder(class_names)


def _repeats(words: Sequence[str]) -> bool:
    """Whether words come again and again, as where a model does not end: most of twelve or more are repetitions."""
    return len(words) >= 12 and len(set(words)) <= len(words) // 3
