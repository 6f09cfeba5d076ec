"""Makes tokens of a sentence: its quotations, regions, positions and labels become marks, all else words."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from verbalize.read.marking.regions import region_marks
from verbalize.read.marking.tokens import LabelMark, PartMark, Raw, Token, label_words, raw_words, tokenize, word_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.read.marking.part_finder import PartFinder
    from verbalize.read.marking.quotations import Quotation
    from verbalize.saliency import Part

_PLACEHOLDER = re.compile(r"\{[^{}\n]{0,60}\}|\[MASK(?:ED)?\]")
_POSITIONS = re.compile(
    r"(?:the )?(?:words?|tokens?|phrase|span)? ?at positions? (?P<first>\d{1,7})(?: (?:to|-|–) (?P<to>\d{1,7}))?(?!\w)|(?:the )?(?:word|token|region) number (?P<number>\d{1,7})(?!\w)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?<!\w)(?P<lead>(?:the |a )(?:(?:first|second|third|fourth|fifth|last) )?(?:words?|terms?|tokens?|phrases?|adjectives?|verbs?|nouns?|expressions?|keywords?) (?:(?:such as|like|including) )?)(?=[^\W_])(?P<name>[^\s,.;:()'\"“”«»*`]+(?:(?:, and |, | and )[^\s,.;:()'\"“”«»*`]+)*)",
    re.IGNORECASE,
)
_ISOLATES = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069\u200e\u200f"), " ")
_AFTER_LIST = re.compile(r" (?:are|were|have|had|both|all)\b")  # after the last word of "the words great, fine and acting are"
_BARE = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,7}")
# around a whole passage: what stands inside of quotation marks, such as the word '**bold**', is no emphasis
_EMPHASISED = re.compile(r"(?<![^\s(])\*\*(?=\S)([^*\n]*['\"“‘»«„][^*\n]*)(?<=\S)\*\*(?![^\s.,;:!?)])")
_EMPHASIS = ("**", "*", "_")
_MARKS = {
    "QP": frozenset({"QP"}),
    "QPL": frozenset({"QPL"}),
    "QL": frozenset({"QL"}),
    "QX": frozenset({"QX"}),
    "QM": frozenset({"QM"}),
}


def blank(text: str) -> str:
    """The text with blanks for the marks of direction that right-to-left words need; its length is kept."""
    return text.translate(_ISOLATES)


def without_emphasis(text: str) -> str:
    """The text with blanks for the marks of Markdown around a passage that holds a quotation; its length is kept."""
    return _EMPHASISED.sub(lambda found: f"  {found[1]}  ", text)


class Marker:
    """Makes the tokens of the sentences of one text."""

    def __init__(self, text: str, finder: PartFinder, names: Sequence[str]) -> None:
        self.text = text
        self.finder = finder
        self.labels = label_words(names)
        self.known = {" ".join(name.casefold().split()): name for name in names}
        self.quoted_parts = False

    def sentence(self, start: int, stop: int, quotations: Sequence[Quotation]) -> list[Token]:
        """The tokens of the sentence between two positions of the text."""
        pieces: list[str | Token] = []
        position = start
        for quotation in quotations:
            if quotation.start < position:
                continue
            pieces.append(self.text[position : quotation.start])
            following = " ".join(self.text[quotation.stop : min(stop, quotation.stop + 40)].split(" "))
            pieces += self._quotation(quotation, following)
            position = min(quotation.stop, stop)
        pieces.append(self.text[position:stop])
        raws: list[Raw] = []
        bare = not any(isinstance(piece, Token) and piece.names & {"QP", "QPL", "QX"} for piece in pieces)
        for piece in pieces:
            if isinstance(piece, Token):
                raws.append(Raw(piece.text, piece))
            else:
                raws += self._plain(piece, bare=bare)
        tokens = tokenize(raws, self.labels)
        while tokens and tokens[-1].names == {"STOP"}:
            tokens.pop()
        return tokens

    def _quotation(self, quotation: Quotation, following: str) -> list[str | Token]:
        inner = " ".join(quotation.inner.split())
        if re.fullmatch(r"\{[^{}]*\}", inner) or re.fullmatch(r"\[MASK(?:ED)?\]", inner):
            return [Token(inner, _MARKS["QM"], LabelMark(None))]
        folded = inner.casefold()
        stripped = folded.rstrip(",.;:!?")
        name = self.known.get(folded) or self.known.get(stripped)
        places = self.finder.places(quotation.inner.strip(), following)
        kind = ("QPL" if name else "QP") if places else "QL" if name else "QX"
        if kind == "QX" and quotation.mark in _EMPHASIS and all(word_known(word) for word in _RUN.findall(inner)):
            return [f" {inner} "]  # "does **not** support": emphasis, not a quotation
        written = inner.rstrip(",;") if name is None and not places else inner
        token = Token(inner, _MARKS[kind], PartMark(written, places, name))
        ended = inner[-1:]
        if ended in (",", ";") and len(inner) > 1 and re.match(r"\s*[\w\"'“‘„«»`]", following):
            return [token, ended]
        return [token]

    def _plain(self, text: str, *, bare: bool) -> list[Raw]:
        """The words of a piece without quotations; placeholders, positions, regions and named words become marks."""
        found: list[tuple[int, int, list[Raw]]] = []
        found += [
            (match.start(), match.end(), [Raw(match.group(), Token(match.group(), _MARKS["QM"], LabelMark(None)))])
            for match in _PLACEHOLDER.finditer(text)
        ]
        for match in _POSITIONS.finditer(text):
            first = int(match["first"] or match["number"])
            last = int(match["to"] or first)
            place = tuple(range(first - 1, last)) if 0 < first <= last <= first + 1_000_000 else ()
            mark = PartMark(match.group().strip(), (place,) if place else ())
            found.append((match.start(), match.end(), [Raw(match.group(), Token(match.group(), _MARKS["QP"], mark))]))
        if self.finder.evidence.pixels:
            for start, stop, mark in region_marks(text, self.finder.evidence.names):
                found.append((start, stop, [Raw(mark.quote, Token(mark.quote, _MARKS["QP"], mark))]))
        else:
            named = self._explicit(text)
            found += named or (self._runs(text) if bare else [])
        raws: list[Raw] = []
        position = 0
        for start, stop, marks in sorted(found, key=lambda item: (item[0], -item[1])):
            if start < position:
                continue
            raws += raw_words(text[position:start])
            raws += marks
            position = stop
        return raws + raw_words(text[position:])

    def _explicit(self, text: str) -> list[tuple[int, int, list[Raw]]]:
        """Words after a noun that announces them: "the word great", "the words great and fine"."""
        found: list[tuple[int, int, list[Raw]]] = []
        match = _NAMED.search(text)
        while match:
            position = match.start("name")
            end = match.start("name")
            for name in re.split(r"(, and |, | and )", match["name"]):
                if name in (", and ", ", ", " and "):
                    position += len(name)
                    continue
                places = self.finder.parts.find(name)
                first = position == match.start("name")
                listed = first or _AFTER_LIST.match(text, position + len(name))
                if word_known(name) and not (places and len(name) > 3 and listed and name.casefold() not in _NEVER):
                    break
                if not places and not first:
                    break
                found.append((position, position + len(name), [self._word(name, places)]))
                position += len(name)
                end = position
            match = _NAMED.search(text, max(end, match.start() + 1))
        return found

    def _runs(self, text: str) -> list[tuple[int, int, list[Raw]]]:
        """Runs of words that the lexicon lacks and the input has."""
        found: list[tuple[int, int, list[Raw]]] = []
        words = list(_RUN.finditer(text))
        index = 0
        while index < len(words):
            last = index
            while (
                last < len(words)
                and not word_known(words[last].group())
                and (last == index or not text[words[last - 1].end() : words[last].start()].strip())
            ):
                last += 1
            for stop in range(last, index, -1):
                start, end = words[index].start(), words[stop - 1].end()
                places = self.finder.parts.find(text[start:end])
                if places and text[start:end].casefold() not in self.known and not _function_words(text[start:end]):
                    found.append((start, end, [self._word(text[start:end], places)]))
                    break
            index = max(last, index + 1)
        return found

    def _word(self, name: str, places: tuple[Part, ...]) -> Raw:
        return Raw(name, Token(name, _MARKS["QP" if places else "QX"], PartMark(name, places)))


_RUN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def _function_words(run: str) -> bool:
    """Whether a run of words has no content word, so that nobody would name it without quotation marks ("he", "because of")."""
    return all(word.casefold() in _stop_words() for word in run.split())


@cache
def _stop_words() -> frozenset[str]:
    from spacy.lang.en.stop_words import (
        STOP_WORDS,  # spaCy takes a second to load; sentences that quote all words don't need it
    )

    return frozenset(STOP_WORDS)


_NEVER = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "that",
        "which",
        "who",
        "in",
        "with",
        "of",
        "for",
        "from",
        "and",
        "or",
        "has",
        "have",
        "had",
        "at",
        "to",
        "it",
        "its",
        "does",
        "do",
        "did",
        "as",
        "on",
        "by",
        "not",
    ]
)
