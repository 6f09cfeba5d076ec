"""Which caption pairs of a reply are descriptions, and why the others are none."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agents.prompting.descriptions.judging.alike import Likeness
from agents.prompting.descriptions.judging.nothing import only_praise, placeholder, says_nothing
from agents.prompting.descriptions.judging.subject import wrong_class
from agents.prompting.descriptions.judging.unseen import unseen_attribute, unseen_caption
from agents.prompting.descriptions.pairs import PairDescriptions
from agents.prompting.descriptions.reading.meaning import key_of, meaning
from agents.prompting.descriptions.reading.mentions import Mentions
from agents.prompting.descriptions.reading.words import said, words

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

_FIELDS = words("schema")
"""Words of schemas; alone, they are what a model puts where it has nothing to say."""

EMPTY = words("empty")
"""Words that say nothing of an image: those that lead up to a name, articles, and what joins other words."""
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
    "praise": "praise in the place of a difference",
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
        self.names = _names(self.class_names)
        self._likeness = None if encoder is None else Likeness(encoder, EMPTY)

    def refused(self, pair: Pair, attribute: str, captions: tuple[str, str]) -> Refused | None:
        """Why an attribute with a caption for each of two classes is no description; None where it is one."""
        found = self._reason(pair, attribute, captions)
        return None if found is None else Refused(attribute, captions, found[1], found[0])

    def judge(self, pair: Pair, items: Sequence[Accepted]) -> tuple[list[Accepted], list[Refused]]:
        """Judge the caption pairs of one reply: those that are descriptions, tidied, and the others, with the reason.

        Args:
            pair: the numbers of the two classes.
            items: attributes, each with one caption for each of the two classes.
        """
        given = [(attribute, (tidy(first), tidy(second))) for attribute, (first, second) in items]
        kept, refused = self.sifted(pair, given)
        return [given[place] for place in kept], refused

    def sifted(self, pair: Pair, items: Sequence[Accepted]) -> tuple[list[int], list[Refused]]:
        """As `judge`, with captions as they are: the places of those that are descriptions, and the others, with the reason."""
        good: list[int] = []
        refused: list[Refused] = []
        for place, (attribute, captions) in enumerate(items):
            found = self.refused(pair, attribute, captions)
            if found is None:
                good.append(place)
            else:
                refused.append(found)
        repeats = self._repeated(pair, [items[place] for place in good])
        refused += [Refused(*items[good[at]], why, "near-duplicate") for at, why in repeats.items()]
        return [place for at, place in enumerate(good) if at not in repeats], refused

    def _reason(self, pair: Pair, attribute: str, captions: tuple[str, str]) -> tuple[str, str] | None:
        if unseen := unseen_attribute(attribute):
            return "unseen", f"the attribute {attribute!r:.80} can't be seen in a photo ({unseen})"
        if found := placeholder(self.names.without(attribute)):
            return "placeholder", f"the attribute {found!r} is a placeholder"
        for side in (0, 1):
            if reason := self._reason_for_one(captions[side], pair[side], pair[1 - side]):
                return reason
        bare = (self._bare(pair, captions[0]), self._bare(pair, captions[1]))
        if meaning(bare[0], EMPTY) == meaning(bare[1], EMPTY):
            return "same", "both captions say the same but for the name"
        praise = only_praise(attribute, bare)
        return None if praise is None else ("praise", f"praise ({praise}) is no difference that can be seen")

    def _reason_for_one(self, caption: str, own: int, other: int) -> tuple[str, str] | None:
        name = f"the caption for {self.class_names[own]!r}"
        # class names may hold any word
        plain = self.names.without(caption)
        alone = caption.replace(self.class_names[own], " ").replace(self.class_names[other], " ")
        if found := placeholder(plain, alone):
            return "placeholder", f"{found!r} is a placeholder in {name}"
        if _MARKUP.search(plain) or _LIST_WITHIN.search(plain):
            return "markup", f"{name} holds markup, an address or a list"
        if writer := _WRITER.search(plain):
            return "writer", f"{name} speaks of its writer or the task ({writer[0]!r}), and not of an image"
        wrong = wrong_class(self.names, caption, own, other)
        if wrong is not None:
            return "other class", f"{name} is about {self.class_names[wrong]!r}"
        own_left_out = self.names.without(caption, own)
        left = said(own_left_out, "empty")
        if not left:
            given = [word for word in re.findall(r"\w+", plain) if word in _FIELDS]
            if given:
                return "placeholder", f"{given[0]!r} is a placeholder in {name}"
            return "name only", f"{name} says nothing but the name"
        if all(word in _FIELDS for word in left):
            return "placeholder", f"{left[0]!r} is a placeholder in {name}"
        if says_nothing(own_left_out):
            return "vague", f"{name} says nothing that can be seen ({' '.join(left)!r:.80})"
        if unseen := unseen_caption(own_left_out):
            return "unseen", f"{name} says nothing that a photo shows ({unseen!r})"
        if _repeats(left):
            return "repetition", f"{name} repeats itself"
        return None

    def _repeated(self, pair: Pair, good: Sequence[Accepted]) -> dict[int, str]:
        """The places of captions that say the same as each other, or both as those of an earlier attribute, and why."""
        bare = [(self._bare(pair, first), self._bare(pair, second)) for _, (first, second) in good]
        across = self._alike(bare)
        other_words = self._earlier_in_other_words(bare)
        seen: set[object] = set()
        kept: set[int] = set()
        why: dict[int, str] = {}
        for place, texts in enumerate(bare):
            key = tuple(key_of(text) for text in texts)
            if across[place]:
                why[place] = "both captions say the same in other words"
            elif key in seen or kept & other_words.get(place, set()):
                why[place] = "it says the same as an earlier attribute"
            else:
                kept.add(place)
                seen.add(key)
        return why

    def _earlier_in_other_words(self, bare: Sequence[tuple[str, str]]) -> dict[int, set[int]]:
        """For each place, the earlier ones that say the same on both sides as the encoder finds; empty without an encoder."""
        if self._likeness is None:
            return {}
        earlier = [(place, one) for place in range(len(bare)) for one in range(place)]
        alike = self._alike([(bare[one][side], bare[place][side]) for place, one in earlier for side in (0, 1)])
        found: dict[int, set[int]] = {}
        for (place, one), first, second in zip(earlier, alike[::2], alike[1::2], strict=True):
            if first and second:
                found.setdefault(place, set()).add(one)
        return found

    def _alike(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        same = [meaning(first, EMPTY) == meaning(second, EMPTY) for first, second in pairs]
        if self._likeness is None or not pairs:
            return same
        return [one or other for one, other in zip(same, self._likeness.alike(pairs), strict=True)]

    def _bare(self, pair: Pair, text: str) -> str:
        """A text without the names of the two classes; where only a name is left, as in a comparison, with it."""
        return " ".join(self.names.without(text, *pair).split())


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
        good, bad = judge.sifted(pair, [(one.attribute, one.captions) for one in contrasts])
        if good:
            kept[pair] = [contrasts[place] for place in good]
        refused += [(pair, one) for one in bad]
    return PairDescriptions(kept, {number: class_names[number] for pair in kept for number in pair}), refused


@lru_cache(maxsize=8)
def _names(class_names: tuple[str, ...]) -> Mentions:
    return Mentions(class_names)


def _repeats(words: Sequence[str]) -> bool:
    """Whether words come again and again, as where a model does not end: most of twelve or more, or all of three or more."""
    return (len(words) >= 12 and len(set(words)) <= len(words) // 3) or (len(words) >= 3 and len(set(words)) == 1)
