"""Makes tokens of a sentence: its quotations, regions, positions and labels become marks, all else words."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from verbalize.read.marking.regions import region_marks
from verbalize.read.marking.tokens import LabelMark, PartMark, Raw, Token, label_words, raw_words, tokenize, word_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.read.marking.quotations import Quotation
    from verbalize.read.part_finder import PartFinder

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
_BARE = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,7}")
_MARKS = {"QP": frozenset({"QP"}), "QPL": frozenset({"QPL"}), "QL": frozenset({"QL"}), "QX": frozenset({"QX"}), "QM": frozenset({"QM"})}


def blank(text: str) -> str:
    """The text with blanks for the marks of direction that right-to-left words need; its length is kept."""
    return text.translate(_ISOLATES)


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
        written = inner.rstrip(",;") if name is None and not places else inner
        token = Token(inner, _MARKS[kind], PartMark(written, places, name))
        ended = inner[-1:]
        if ended in (",", ";") and re.match(r"\s*\w", following):
            return [token, ended]
        return [token]

    def _plain(self, text: str, *, bare: bool) -> list[Raw]:
        """The words of a piece without quotations; placeholders, positions, regions and named words become marks."""
        found: list[tuple[int, int, list[Raw]]] = []
        for match in _PLACEHOLDER.finditer(text):
            found.append((match.start(), match.end(), [Raw(match.group(), Token(match.group(), _MARKS["QM"], LabelMark(None)))]))
        for match in _POSITIONS.finditer(text):
            first = int(match["first"] or match["number"])
            last = int(match["to"] or first)
            place = tuple(range(first - 1, last)) if 0 < first <= last <= first + 1_000_000 else ()
            mark = PartMark(match.group().strip(), (place,) if place else ())
            found.append((match.start(), match.end(), [Raw(match.group(), Token(match.group(), _MARKS["QP"], mark))]))
        if self.finder.evidence.pixels:
            for start, stop, mark in region_marks(text, self.finder.evidence.names):
                found.append((start, stop, [Raw(mark.quote, Token(mark.quote, _MARKS["QP"], mark))]))
        elif bare:
            found += self._named_words(text)
        raws: list[Raw] = []
        position = 0
        for start, stop, marks in sorted(found, key=lambda item: (item[0], -item[1])):
            if start < position:
                continue
            raws += raw_words(text[position:start])
            raws += marks
            position = stop
        return raws + raw_words(text[position:])

    def _named_words(self, text: str) -> list[tuple[int, int, list[Raw]]]:
        """Words of the input that a sentence without quotations names: "the word great", and runs of words that only the input has."""
        found: list[tuple[int, int, list[Raw]]] = []
        for match in _NAMED.finditer(text):
            position = match.start("name")
            for name in re.split(r"(, and |, | and )", match["name"]):
                if name in (", and ", ", ", " and "):
                    position += len(name)
                    continue
                places = self.finder.parts.find(name)
                first = position == match.start("name")
                if word_known(name) and not (places and len(name) > 3 and first and name.casefold() not in _NEVER):
                    break
                if not places and not first:
                    break
                found.append((position, position + len(name), [Raw(name, Token(name, _MARKS["QP" if places else "QX"], PartMark(name, places)))]))
                position += len(name)
        if found:
            return found
        for match in re.finditer(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text):
            if found and match.start() < found[-1][1] or word_known(match.group()):
                continue
            words = [match]
            rest = list(re.finditer(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text[match.end() : match.end() + 120]))
            end = match.end()
            for nxt in rest:
                if text[end : match.end() + nxt.start()].strip() or word_known(nxt.group()):
                    break
                words.append(nxt)
                end = match.end() + nxt.end()
            for size in range(len(words), 0, -1):
                stop = match.end() if size == 1 else match.end() + words[size - 1].end()
                places = self.finder.parts.find(text[match.start() : stop])
                if places and text[match.start() : stop].casefold() not in self.known:
                    found.append((match.start(), stop, [Raw(text[match.start() : stop], Token(text[match.start() : stop], _MARKS["QP"], PartMark(text[match.start() : stop], places)))]))
                    break
        return found


_NEVER = frozenset("is are was were that which who in with of for from and or has have had at to it its does do did as on by not".split())


def printable(text: str) -> bool:
    """Whether a text holds no control characters, apart from white space."""
    return not any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") and not character.isspace() for character in text)
