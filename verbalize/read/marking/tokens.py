"""A sentence as tokens. Each token has a set of word classes, and a value where it is a mark: a part, a label or a number."""
# ruff: noqa: E501 - word lists and patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from verbalize.read.grammar.lexicon import NUMBER_WORDS, ORDINALS, PUNCTUATION, word_classes
from verbalize.read.marking.numbers import NUMBER, Number, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from verbalize.saliency import Part

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|\s+|.", re.DOTALL)
_CONTRACTED = {
    "isn't": "is not", "aren't": "are not", "wasn't": "was not", "weren't": "were not", "doesn't": "does not", "don't": "do not",
    "didn't": "did not", "hasn't": "has not", "haven't": "have not", "hadn't": "had not", "can't": "can not", "cannot": "can not", "couldn't": "could not",
    "won't": "will not", "you'll": "you will", "i'd": "i would", "wouldn't": "would not", "it's": "it is", "that's": "that is", "there's": "there is", "they're": "they are",
    "what's": "what is",
}  # fmt: skip
_FRACTIONS = {
    "half": 0.5, "one half": 0.5, "a half": 0.5, "a third": 1 / 3, "one third": 1 / 3, "two thirds": 2 / 3, "a quarter": 0.25, "one quarter": 0.25,
    "three quarters": 0.75, "a fourth": 0.25, "one fourth": 0.25, "three fourths": 0.75, "a fifth": 0.2, "one fifth": 0.2, "two fifths": 0.4,
    "three fifths": 0.6, "four fifths": 0.8, "a sixth": 1 / 6, "one sixth": 1 / 6, "an eighth": 0.125, "one eighth": 0.125, "a tenth": 0.1, "one tenth": 0.1, "nine tenths": 0.9,
    "three tenths": 0.3, "seven tenths": 0.7, "a seventh": 1 / 7, "a ninth": 1 / 9,
}  # fmt: skip
_ABOUT = {"about", "around", "roughly", "approximately", "some", "circa", "almost", "nearly", "close to", "just under", "just over", "a little over", "a little under", "a bit over", "just about", "something like", "an estimated", "a good", "a little more than", "a little less than", "slightly over", "slightly under", "slightly more than", "slightly less than", "just shy of"}  # fmt: skip
_ABOVE = {"more than", "over", "at least", "above", "upwards of", "well over", "no less than", "no fewer than"}
_BELOW = {"less than", "under", "at most", "below", "up to", "no more than", "fewer than", "not even", "well under"}
_STRICT_BELOW = {"less than", "fewer than", "under", "below", "well under"}
_STRICT_ABOVE = {"more than", "over", "above", "well over"}
_LOOSE = {
    "some",
    "only",
    "just",
    "over",
    "above",
    "below",
    "under",
    "a good",
    "full",
}  # with a whole number they may mean something else
_EXACT = {
    "exactly",
    "precisely",
    "a full",
    "full",
    "fully",
    "a total of",
    "as much as",
    "only",
    "just",
    "a mere",
    "merely",
    "as little as",
    "a whopping",
}
_HEDGED = {
    **dict.fromkeys(_ABOUT, "about"),
    **dict.fromkeys(_ABOVE, "above"),
    **dict.fromkeys(_BELOW, "below"),
    **dict.fromkeys(_EXACT, ""),
}
_FRACTION_TOLERANCE = 0.05  # of a fraction in words: five percentage points
_LONGEST = 8  # words in a phrase of the lexicon
_PERCENT = frozenset({"per cent", "percent", "%", "percentage points"})
_INTEGER, _PCT, _DEC, _FRAC, _ORD, _UNKNOWN = (
    frozenset({"INT"}), frozenset({"PCT"}), frozenset({"DEC"}), frozenset({"FRAC"}), frozenset({"ORDINAL"}), frozenset({"UNKNOWN"}),
)  # fmt: skip
_SIGNS = frozenset({"POS", "NEG", "UNADJ", "ZERO"})  # words that say a sign and may be labels, too
_BE = frozenset({"is", "are", "was", "were", "be", "has been", "have been", "had been"})
_HAS = frozenset({"has", "have", "had"})
_PURE = frozenset({"BL", "BLX"})  # a label that is no other word
_ORDINAL_DIGITS = re.compile(r"(\d{1,5})(?:st|nd|rd|th)")


@dataclass(frozen=True, slots=True)
class PartMark:
    """A mention of a part: the words as written, and the places in the input that it may mean."""

    quote: str
    places: tuple[Part, ...]
    name: str | None = None  # the label that the quoted text is, where it is the name of one


@dataclass(frozen=True, slots=True)
class LabelMark:
    """A label that the text names; `None` if it is masked."""

    name: str | None


Value: TypeAlias = PartMark | LabelMark | Number | int | None


@dataclass(frozen=True, slots=True)
class Token:
    """A word, mark or punctuation mark of a sentence.

    Attributes:
        text: as it is written.
        names: its word classes.
        value: the part, label or number; `None` for words.
        inner: the tokens of a phrase that was folded into this one.
    """

    text: str
    names: frozenset[str]
    value: Value = None
    inner: tuple[Token, ...] = ()

    def flat(self) -> Iterator[Token]:
        """The token itself, or the tokens of the phrase that was folded into it."""
        if not self.inner:
            yield self
        for token in self.inner:
            yield from token.flat()


@dataclass(frozen=True, slots=True)
class Raw:
    """A piece of a sentence before it has classes: a word, or a mark whose token is known already."""

    text: str
    token: Token | None = None


@cache
def _known() -> Mapping[str, frozenset[str]]:
    return word_classes()


@cache
def _starts() -> dict[str, int]:
    """The most words of a known phrase, by its first word."""
    longest: dict[str, int] = {}
    for phrase in (*_known(), *_FRACTIONS, *_HEDGED, "per cent", "percentage points"):
        words = phrase.split(" ")
        longest[words[0]] = max(longest.get(words[0], 1), min(len(words), _LONGEST))
    return longest


def _joined_verbs(tokens: list[Token]) -> list[Token]:
    """Make one verb of "is pushing", "has been pushing" and "has pushed"."""
    joined: list[Token] = []
    for token in tokens:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.text in _BE
            and any(name.endswith("_G") for name in token.names)
            and "BE" in before.names
        ):
            bases = frozenset(name[:-2] for name in token.names if name.endswith("_G"))
            joined[-1] = Token(f"{before.text} {token.text}", bases)
        elif before is not None and before.text in _HAS and any(name.endswith("_P") for name in token.names):
            bases = frozenset(name[:-2] for name in token.names if name.endswith("_P"))
            joined[-1] = Token(f"{before.text} {token.text}", bases)
        else:
            joined.append(token)
    return joined


def word_sets() -> set[frozenset[str]]:
    """Every set of word classes that a token can have."""
    marks = {frozenset({name}) for name in ("QP", "QL", "QPL", "QX", "QM", "INT", "PCT", "DEC", "FRAC", "ORDINAL", "UNKNOWN")}
    signs = {frozenset({name}) for name in PUNCTUATION.values()}
    known = set(_known().values())
    folded = {frozenset(names) for names in ({"PT"}, {"LB"}, {"TG"}, {"PT", "LB"}, {"VS"}, {"LB", "QM"})}
    return (
        known
        | marks
        | signs
        | folded
        | {names | {"BL"} for names in known if names & _SIGNS}
        | {_PURE, frozenset({"INT", "ONE"})}
        | {frozenset(n[:-2] for n in names if n.endswith(end)) for names in known for end in ("_G", "_P")} - {frozenset()}
    )


def raw_words(text: str) -> list[Raw]:
    """The words and punctuation marks of a piece of text without marks, in lower case."""
    raws: list[Raw] = []
    position = 0
    for match in NUMBER.finditer(text):
        if match["worded"]:
            continue
        digits = match.start("sign") if match["sign"] else match.start("digits")
        hedged = match.start("hedge") if match["hedge"] else digits
        end = match.end()
        raws += _plain(text[position:hedged])
        number = number_of(match)
        names = (
            _PCT
            if number.percent
            else _INTEGER
            if not number.exact and number.bound is None and number.value == int(number.value)
            else _DEC
        )
        if not number.percent and match["hedge"] and not number.exact:
            names, number = _INTEGER, _strict(number, match["hedge"].lower())
        raws.append(Raw(text[hedged:end], Token(text[hedged:end], names, number)))
        position = end
    return raws + _plain(text[position:])


def _plain(text: str) -> list[Raw]:
    raws: list[Raw] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isspace():
            continue
        folded = word.lower().replace("’", "'")
        expanded = _CONTRACTED.get(folded)
        if expanded:
            raws += [Raw(part) for part in expanded.split(" ")]
        elif folded.endswith("'s") and len(folded) > 2 and folded not in _known():
            raws += [Raw(folded[:-2]), Raw("'s")]
        elif (
            folded == "-"
            and match.start()
            and text[match.start() - 1].isalnum()
            and text[match.end() : match.end() + 1].isalnum()
        ):
            continue  # a hyphen within a word counts as a blank
        else:
            raws.append(Raw(folded))
    return raws


def tokenize(raws: list[Raw], labels: Mapping[tuple[str, ...], str]) -> list[Token]:
    """Give the pieces of a sentence their word classes. The longest known phrase wins.

    Args:
        raws: the pieces.
        labels: names of classes that are known, as tuples of words in lower case. They may be named without quotes.
    """
    tokens: list[Token] = []
    known, starts = _known(), _starts()
    longest_label = max((len(words) for words in labels), default=0)
    index, count = 0, len(raws)
    while index < count:
        raw = raws[index]
        if raw.token is not None:
            tokens.append(raw.token)
            index += 1
            continue
        words: list[str] = []
        limit = max(starts.get(raw.text, 1), longest_label)
        for other in raws[index : index + limit]:
            if other.token is not None:
                break
            words.append(other.text)
        following = raws[index + 2].text if index + 2 < count else ","
        if words[:2] == ["that", "is"] and index and raws[index - 1].token is not None and following not in (",", ":", "to"):
            words = words[:1]  # "'great' that is important"
        number = _number(raws, index, words)
        size = next((size for size in range(len(words), 0, -1) if " ".join(words[:size]) in known), 0)
        if number is not None and number[1] >= size:
            token, used = number
            tokens.append(token)
            index += used
            continue
        label_size = next((size for size in range(min(longest_label, len(words)), 0, -1) if tuple(words[:size]) in labels), 0)
        phrase = " ".join(words[: max(size, label_size, 1)])
        names = known.get(phrase, frozenset())
        value: Value = None
        if label_size and label_size >= size and (not names or names & _SIGNS):
            names, value = names | {"BL"} if names else _PURE, LabelMark(labels[tuple(words[:label_size])])
        elif not size:
            names = frozenset({PUNCTUATION[phrase]}) if phrase in PUNCTUATION else _UNKNOWN
            digits = _ORDINAL_DIGITS.fullmatch(phrase)
            if digits:
                names, value = _ORD, int(digits[1])
        elif phrase in ORDINALS:
            value = ORDINALS[phrase]
        tokens.append(Token(phrase, names, value))
        index += max(size, label_size, 1)
    return _joined_verbs(tokens)


def _number(raws: list[Raw], index: int, words: list[str]) -> tuple[Token, int] | None:
    """A number in words at this place: "a third", "ninety-eight per cent", "about half", "a dozen"; and how many pieces it takes."""
    for hedge_size in (*range(min(4, len(words)), 0, -1), 0):
        hedge = " ".join(words[:hedge_size])
        if hedge_size and hedge not in _HEDGED:
            continue
        bare = [raw.text for raw in raws[index + hedge_size : index + hedge_size + 6] if raw.token is None]
        if hedge_size and index + hedge_size < len(raws) and raws[index + hedge_size].token is not None:
            token = raws[index + hedge_size].token
            if token is not None and isinstance(token.value, Number) and (hedge not in _LOOSE or token.value.percent):
                return Token(f"{hedge} {token.text}", token.names, _hedged(token.value, _HEDGED[hedge])), hedge_size + 1
            continue
        for size in (3, 2, 1):
            phrase = " ".join(bare[:size])
            if (
                len(bare) >= size
                and phrase in _FRACTIONS
                and not (phrase == "half" and bare[1:2] and bare[1] in ("as", "picture", "image"))
            ):
                number = _hedged(
                    Number(_FRACTIONS[phrase], _FRACTION_TOLERANCE, percent=True, exact=False), _HEDGED.get(hedge, "")
                )
                return Token(phrase, _FRAC, number), hedge_size + size
        spelled = _spelled(bare)
        if spelled is not None:
            value, size = spelled
            text = " ".join(bare[:size])
            for width in (2, 1):
                if " ".join(bare[size : size + width]) in _PERCENT:
                    share = _hedged(Number(value / 100, 0.005, percent=True, exact=True), _HEDGED.get(hedge, ""))
                    return Token(text, _PCT, share), hedge_size + size + width
            if hedge in _LOOSE and hedge_size:
                continue
            names = frozenset({"INT", "ONE"}) if text == "one" else _INTEGER
            return Token(
                text,
                names,
                _strict(_hedged(Number(float(value), 0.5, percent=False, exact=False), _HEDGED.get(hedge, "")), hedge),
            ), hedge_size + size
    return None


def _spelled(words: list[str]) -> tuple[int, int] | None:
    if not words:
        return None
    if words[0] == "a" and words[1:2] == ["dozen"]:
        return 12, 2
    first = NUMBER_WORDS.get(words[0])
    if first is None:
        return None
    second = NUMBER_WORDS.get(words[1]) if len(words) > 1 else None
    if first >= 20 and first % 10 == 0 and second is not None and second < 10:
        return first + second, 2
    if second == 12 and words[1] == "dozen":
        return first * 12, 2
    return first, 1


def _strict(number: Number, hedge: str) -> Number:
    """A whole number with a bound that excludes it: "fewer than eight" is at most seven."""
    step = -1.0 if hedge in _STRICT_BELOW else 1.0 if hedge in _STRICT_ABOVE else 0.0
    return Number(number.value + step, number.tolerance, percent=False, exact=number.exact, bound=number.bound)


def _hedged(number: Number, hedge: str) -> Number:
    if hedge == "about":
        tolerance = max(
            number.tolerance, 0.05 if number.percent else max(0.1 * abs(number.value), 1.0 if not number.exact else 0.0)
        )
        return Number(number.value, tolerance, percent=number.percent, exact=number.exact)
    if hedge in ("above", "below"):
        return Number(number.value, number.tolerance, percent=number.percent, exact=number.exact, bound=hedge)
    return number


def label_words(names: Iterable[str]) -> dict[tuple[str, ...], str]:
    """The known labels by their words in lower case, as a text may write them without quotes."""
    known: dict[tuple[str, ...], str] = {}
    for name in names:
        words = tuple(raw.text for raw in _plain(name.replace("_", " ")))
        if words:
            known.setdefault(words, name)
            if len(words) > 1 and words[-1] in ("sentiment", "review", "label", "class", "news"):
                known.setdefault(words[:-1], name)
    for short, full in (("pos", "positive"), ("neg", "negative"), ("neu", "neutral")):
        if (short,) in known:
            known.setdefault((full,), known[short,])
    return known


def word_known(word: str) -> bool:
    """Whether a single word is in the lexicon, alone or as the first word of a phrase."""
    folded = word.lower().replace("’", "'")
    return folded in _known() or folded in _starts() or folded in _CONTRACTED or folded in NUMBER_WORDS
