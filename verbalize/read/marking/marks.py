"""A sentence in which each part, label and number is replaced by one character, so that patterns can match its form."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from verbalize.read.marking.numbers import NUMBER, Number, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verbalize.read.marking.quotations import Quotation
    from verbalize.saliency import Part

# Characters from the private use area of Unicode stand for marks; those that a text itself contains are blanked first.
_PART, _LABEL, _NUMBER = 0xF0000, 0x100000, 0x108000
_MOST = 0x7FF0  # largest number of marks of one kind in a sentence; further mentions stay text
P = "[\U000f0000-\U000fffff]"
L = "[\U00100000-\U00107fff]"
N = "[\U00108000-\U0010ffff]"
_ANY = re.compile("[\U000f0000-\U0010ffff]")

NOUN = (
    r"(?:words?|phrases?|terms?|tokens?|spans?|expressions?|characters?|adjectives?|adverbs?|verbs?|nouns?|keywords?|names?|"
    r"symbols?|punctuation marks?|punctuation|parts? of the (?:text|picture|image)|regions?|areas?|patch(?:es)?|ones?)"
)
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "last": -1, "final": -1,
}  # fmt: skip
_ORDINAL = rf"(?P<ordinal>{'|'.join(_ORDINALS)}|\d{{1,5}}(?:st|nd|rd|th))"
_OF = r"(?:(?:occurrence|instance|mention|appearance|use)s? of )"
_BEFORE = re.compile(
    rf"(?<!\w)(?:(?:the |a |an |its |their )?(?:{_ORDINAL} {_OF}?(?:the )?|(?P<many>two|three|four|five|both|all) {_OF}(?:the )?|{_OF}(?:the )?)"
    rf"|the |both |a |an )?(?:(?:(?:two|three|four|five|{L}|single|actual|individual) ){{0,2}}{NOUN} (?:(?:such as|like|including) )?)?"
    rf"(?P<part>{P})(?P<twice> ?\(?(?:which )?(?:occurring|appearing|used|which occurs|which appears) (?:twice|two times)\)?)?"
)
_SCORE_NOUN = r"(?:(?:importance|saliency|attribution|relevance) ?)?(?:scores?|weights?|values?|importance|share|contribution)?"
_ATTACHED = re.compile(
    rf"(?P<part>{P}) ?(?:[(\[] ?(?:with )?(?:an? |its )?{_SCORE_NOUN} ?(?:of |: ?|= ?)?(?P<in>{N})"
    rf"(?: of the (?:positive |negative |total )?(?:evidence|importance))? ?[)\]]|(?: ?[:=] ?| ?[–—-] )(?P<by>{N})| with (?P<with>{N})(?! of))"
)
_SEPARATOR = rf"(?: ?[,;/&+] ?| )?(?:(?:and|or|nor|as well as|along with|together with|plus|and also|and then|&)(?: also)? )?(?:{NOUN} )?"
_BESIDE = re.compile(rf"((?:compared (?:to|with)|in comparison (?:to|with)|relative to|unlike|in contrast to) {P}) ?,(?= ?{P})")
_QUOTED_IN = re.compile(rf"({P}),? (?:in|within|as in|from|as part of) {P}(?! (?:is|are|ha[sd]|have|was|were))")
_FOLLOWED = re.compile(rf"(?P<part>{P}) (?:for|of|in|at) (?:[\w'-]+ ){{1,3}}\((?P<in>{N})\)")
_LIST = re.compile(rf"{P}(?:{_SEPARATOR}{P})*")
_POSITIONS = re.compile(
    r"(?:the )?(?:words? |tokens? )?at positions? (?P<first>\d{1,7})(?: to (?P<to>\d{1,7}))?|(?:the )?(?:word|token) number (?P<number>\d{1,7})"
)


@dataclass(frozen=True)
class PartMark:
    """A mention of a part: the places in the input that it may mean, and the number written beside it."""

    quote: str
    places: tuple[Part, ...]
    ordinal: int | None = None
    times: int = 1
    number: Number | None = None


@dataclass(frozen=True)
class LabelMark:
    """A label that the text names; `None` if it is masked. `predicted`: the text says that the model predicted it."""

    name: str | None
    predicted: bool = False


@dataclass
class Marked:
    """A sentence in lower case with one character per mark, and the parts, labels and numbers that the characters stand for."""

    text: str = ""
    parts: list[PartMark] = field(default_factory=list)
    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)
    labels: list[LabelMark] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)

    def part(self, mark: PartMark) -> str:
        """Add a part; return the character that stands for it."""
        if len(self.parts) >= _MOST:
            return " "
        self.parts.append(mark)
        return chr(_PART + len(self.parts) - 1)

    def label(self, mark: LabelMark) -> str:
        """Add a label; return the character that stands for it."""
        if len(self.labels) >= _MOST:
            return " "
        self.labels.append(mark)
        return chr(_LABEL + len(self.labels) - 1)

    def number(self, number: Number) -> str:
        """Add a number; return the character that stands for it."""
        if len(self.numbers) >= _MOST:
            return " "
        self.numbers.append(number)
        return chr(_NUMBER + len(self.numbers) - 1)

    def label_of(self, character: str) -> LabelMark:
        """The label that a character stands for."""
        return self.labels[ord(character) - _LABEL]

    def number_of(self, character: str) -> Number:
        """The number that a character stands for."""
        return self.numbers[ord(character) - _NUMBER]

    def members(self, character: str) -> tuple[int, ...]:
        """The parts of a group, by index into `parts`."""
        return self.groups.get(character, (ord(character) - _PART,))

    def group(self) -> None:
        """Attach numbers, ordinals and nouns to their parts, and replace each list of parts by one mark."""
        self.text = _BEFORE.sub(self._named, self.text)
        self.text = _ATTACHED.sub(self._numbered, self.text)
        self.text = _FOLLOWED.sub(self._numbered, self.text)
        self.text = _QUOTED_IN.sub(r"\1", self.text)  # "the word 'hard' in the phrase 'a hard time'" is about the word
        self.text = _BESIDE.sub(r"\1 ¦", self.text)  # "compared to A, B" is not a list
        self.text = _LIST.sub(self._listed, self.text)

    def _named(self, match: re.Match[str]) -> str:
        index = ord(match["part"]) - _PART
        mark = self.parts[index]
        ordinal, times = match["ordinal"], 2 if match["twice"] else 1
        if ordinal:
            number = _ORDINALS.get(ordinal) or int(re.sub(r"\D", "", ordinal))
            mark = replace(mark, ordinal=number)
        if match["many"]:
            times = {"two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "all": len(mark.places)}[match["many"]]
        self.parts[index] = replace(mark, times=times)
        return match["part"]

    def _numbered(self, match: re.Match[str]) -> str:
        index = ord(match["part"]) - _PART
        self.parts[index] = replace(self.parts[index], number=self.number_of(next(filter(None, match.groups()[1:]))))
        return match["part"]

    def _listed(self, match: re.Match[str]) -> str:
        members = tuple(ord(character) - _PART for character in match.group() if _PART <= ord(character) < _LABEL)
        first = chr(_PART + members[0])
        if len(members) > 1:
            self.groups[first] = members
        return first


def blank_marks(text: str) -> str:
    """The text without the private-use characters that stand for marks; its length is kept."""
    return _ANY.sub(" ", text)


def squeeze(text: str) -> str:
    """The text in lower case, with each run of white space as one blank."""
    return re.sub(r"\s+", " ", text).lower()


def mark_numbers(marked: Marked) -> None:
    """Replace positions ("the word at position 5") by marks of parts, and numbers by marks of numbers."""

    def position(match: re.Match[str]) -> str:
        first = int(match["first"] or match["number"])
        last = int(match["to"] or first)
        quote = match.group().removeprefix("the ")
        place = tuple(range(first - 1, last)) if 0 < first <= last <= first + 1_000_000 else ()
        return marked.part(PartMark(quote, (place,) if place else ()))

    marked.text = _POSITIONS.sub(position, marked.text)
    marked.text = NUMBER.sub(lambda match: marked.number(number_of(match)), marked.text)


def bare_labels(names: Sequence[str]) -> Callable[[Marked], None]:
    """Make a function that marks the labels that a sentence names without quotes."""
    nouns = r"(?:sentiment|label|class|category|topic|prediction|classification|decision|outcome|review|verdict|news)"
    scores = r"(?: \w+){0,1} (?:importance|salienc|scor|attribution|impact|influence|weight|value|contribution|effect|evidence|number|direction)"
    known = {re.sub(r"\s+", " ", name.casefold()): name for name in names}
    for spelled in list(known):
        short = re.sub(rf" {nouns}$", "", spelled)
        known.setdefault(short, known[spelled])
    for short, full in (("pos", "positive"), ("neg", "negative"), ("neu", "neutral")):
        if short in known and full not in known:
            known[full] = known[short]
    listed = "|".join(sorted(map(re.escape, known), key=len, reverse=True)) or r"(?!)"
    before = (
        r"(?:predict(?:ed|s|ion)? (?:\w+ ){0,4}?(?:as|of|is|was)|classif\w+ (?:\w+ ){0,4}?as|rather than|instead of|for|against|towards?|in favou?r of|"
        r"suggest(?:s|ing)?|indicat(?:es?|ing)|signals?|supports?|supporting|opposes?|opposing|favou?rs?|as opposed to|versus|"
        r"(?:review|text|article|image|picture|sentiment|label|class|tone|it) (?:is|was|to be|as)(?: strongly| clearly| overall| very| mostly)?)"
    )
    pattern = re.compile(
        rf"(?:(?P<lead>(?<!\w){before} (?:the |a |an )?(?:{nouns} )?(?:of )?)(?P<name>{listed})(?!\w)(?!{scores})(?: {nouns}(?!\w))?"
        rf"|(?P<verb>(?<!\w)(?:predict|classif|categori|labell?ed|rated)\w* (?:[\w']+ ){{0,6}}?(?:as|to be) (?:being |an? )?|(?<!\w)(?:review|text|article|image|sentiment|film|movie) (?:is|was) (?:\w+ly |very )?)(?P<adjective>positive|negative|neutral)(?!\w)"
        rf"|(?<!\w)(?P<noun>{listed}|positive|negative|neutral|mixed)(?: and positive| overall)? {nouns}(?! scores)(?!\w)"
        rf"|(?P<masked>(?<!\w)the (?:predicted |correct |model's |other )?(?:labels?|class)(?!\w)(?! {L})(?! \w+ (?:is|was))))"
    )

    def mark(marked: Marked) -> None:
        def put(match: re.Match[str]) -> str:
            if match["masked"]:
                return marked.label(LabelMark(None))
            name = match["name"] or match["noun"] or match["adjective"]
            lead = match["lead"] or match["verb"] or ""
            predicted = bool(re.match(r"predict|classif|categori|labell?ed|rated", lead))
            return lead + marked.label(LabelMark(known.get(name, name), predicted))

        marked.text = pattern.sub(put, marked.text)

    return mark


_LABEL_NOUN = r"(?:label|class|category|topic|sentiment|prediction|group|outcome|decision|verdict|review|classification)"
_SURE = re.compile(
    rf"(?:predict(?:ed|s|ing)?(?: [\w']+){{0,7}}|classif\w+(?: [\w']+){{0,6}}|label(?:l?ed)?(?: [\w']+){{0,4}}|categori[sz]ed(?: [\w']+){{0,4}}|"
    rf"recogni[sz]ed(?: [\w']+){{0,3}}|considered|rated|identified) (?:as|to be|as being)(?: the| an?)? $"
    rf"|(?<!for )(?<!against )(?<!toward )(?<!towards )the (?:predicted |model's )?(?:label|class|category|prediction|topic|decision) (?:is|was|of)(?: the)? $"
    rf"|predict(?:ed|s|ing)? (?:the )?(?:{_LABEL_NOUN} )?$|(?:label|class|category|the group|topic of|prediction of|label of|class of|topic) $"
    rf"|(?:speak|speaks|spoke|speaking|argues?|arguing|votes?|counts?|counting|evidence|case|reasons?|stands? out|important|salient|influential"
    rf"|significant|decisive|most|strongly|words?|parts?|regions?|features?|holds|text|picture|support|arguments?|indicators?|signals?|cues?) (?:\w+ly |out )?(?:for|against) (?:the )?(?:{_LABEL_NOUN} )?(?:of )?$"
    rf"|(?:supports?|supporting|supported|opposes?|opposing|opposed|favou?rs?|favou?ring|contradicts?|contradicting|undermines?|towards?|in favou?r of|points? to|"
    rf"rather than|instead of|as opposed to|versus|vs\.?|{L} (?:over|or|and not|not)|evidence of|indicative of|sign of|indicates?|indicating|signals?|suggests?|suggesting) (?:the |an? )?(?:{_LABEL_NOUN} )?(?:of )?$"
    rf"|(?:contribut\w+|leads?|led|leading|pushes|push|pulls?|steers?|nudges?|drives?|tips?|away from|close)(?: [\w']+){{0,5}} (?:to|towards?|from|as) (?:the |an? )?(?:{_LABEL_NOUN} )?(?:of )?$"
)
_PREDICTED = re.compile(
    r"(?<!\w)(?:predict\w*|classif(?:y|ied|ies)|labell?ed|categori\w*|recogni\w*|rated|considered) (?:(?!for |against |rather )[\w']+ ){0,8}$"
)
_LISTED_LABEL = re.compile(rf"(?:{L}, |{L},? or |\({L} or |\()$|{L} \((?:{L}, )*$")
_LOOSE = re.compile(r"(?:for|against|of|as|is|to|than|towards?|or|not|the|a|and|from)(?: the)? $")
_SCORED = re.compile(
    r"(?:scores?|values?|weights?|importances?|importance|attributions?|given|assigned|word|phrase|token|words|phrases|term|terms)(?: [\w-]+){0,2} (?:for|to|of|as)(?: the)? $"
)


def mark_quotations(
    text: str, quotations: Sequence[Quotation], names: Sequence[str], places: Callable[[str, str], tuple[Part, ...]]
) -> Marked:
    """Replace each quotation by the mark of a part or of a label; the words around it decide which.

    `quotations` have positions in `text`. `places(inner, following)` gives the places of a quoted text in the input.
    """
    marked = Marked()
    known = {re.sub(r"\s+", " ", name.strip().casefold()): name for name in names}
    pieces: list[str] = []
    tail, position = "", 0
    for quotation in quotations:
        before = squeeze(_placeholders(marked, text[position : quotation.start]))
        pieces.append(before)
        tail = (tail + before)[-90:]
        following = squeeze(text[quotation.stop : quotation.stop + 40])
        inner = quotation.inner.strip()
        name = re.sub(r"\s+", " ", inner.casefold()).rstrip(",.;")
        if _is_label(tail, following, name, known, lambda inner=inner, following=following: places(inner, following)):  # type: ignore[misc]
            masked = re.fullmatch(r"\{[^{}]*\}", inner)
            predicted = _PREDICTED.search(tail)
            written = known.get(re.sub(r"\s+", " ", inner.casefold())) or known.get(name, inner)
            mark = marked.label(LabelMark(None if masked else written, bool(predicted)))
        else:
            mark = marked.part(PartMark(inner, places(inner, following)))
        comma = "," if inner[-1:] == "," and re.match(r" (?!and\b|or\b)\w", following) else ""
        pieces.append(mark + comma)
        tail += mark + comma
        position = quotation.stop
    pieces.append(squeeze(_placeholders(marked, text[position:])))
    marked.text = "".join(pieces)
    return marked


def _placeholders(marked: Marked, text: str) -> str:
    return re.sub(r"\{[^{}\n]{0,60}\}|\[MASK(?:ED)?\]", lambda _: marked.label(LabelMark(None)), text)


def _is_label(before: str, after: str, name: str, known: dict[str, str], places: Callable[[], tuple[Part, ...]]) -> bool:
    if re.fullmatch(r"\{[^{}]*\}", name):
        return True
    if _SCORED.search(before) and not re.match(rf" {_LABEL_NOUN}\b", after):
        return name in known and not places()
    if _SURE.search(before):
        return name in known or not before.endswith(("important for ", "indicates ", "suggests ", "signals ")) or not places()
    if _LISTED_LABEL.search(before) and (
        name in known or re.search(rf"(?:rather than|group) (?:the )?{L}[^\w]*(?:or )?$", before)
    ):
        return True
    if re.match(rf" (?:{_LABEL_NOUN})\b", after) and (name in known or not places()):
        return True
    return name in known and (bool(_LOOSE.search(before)) or not places())
