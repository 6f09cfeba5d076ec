"""Find the words of a map in its text."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from verbalize.pieces import UNKNOWN
from verbalize.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Sequence

_REACH = 64  # the most characters between two words that a tokenizer may have dropped
# what tokenizers in the manner of the Penn Treebank write for marks of the text
_TREEBANK = {
    "``": ('"', "\u00ab", "\u00bb"), "''": ('"', "\u00bb", "\u00ab"), "`": ("'",),
    "-lrb-": ("(",), "-rrb-": (")",), "-lsb-": ("[",), "-rsb-": ("]",), "-lcb-": ("{",), "-rcb-": ("}",),
    "--": ("\u2013", "\u2014"),
}  # fmt: skip
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
_STRAIGHT = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u201e", "'''\"\"\"")


def align_tokens(words: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Find the (start, stop) of each word in `text`, in order. Case, accents and compatibility forms (ligatures) may differ.

    Raises:
        ValueError: a word does not occur shortly after the word before it.
    """
    folded, origin = _fold(text)
    places: list[tuple[int, int]] = []
    position = 0
    for index, word in enumerate(words):
        while position < len(folded) and folded[position].isspace():
            position += 1
        plain = "".join(_fold(word)[0].split())
        if not plain:
            places.append((origin[position], origin[position]))
            continue
        if position >= len(folded):
            start, stop = -1, -1
        elif (word in UNKNOWN or "\ufffd" in word) and not folded.startswith(plain, position):
            start, stop = position, _unknown_end(folded, position, words[index + 1 :])
        else:
            start, stop = _find_any(folded, (plain, *_TREEBANK.get(plain, ())), position)
        if start < 0:
            raise ValueError(f"token {index} ({word!r:.80}) does not occur in the text after character {origin[position]}")
        places.append((origin[start], _end(text, origin, start, stop)))
        position = stop
    return tuple(places)


def check_places(words: Sequence[str], text: str, places: Sequence[tuple[int, int]]) -> None:
    """Check that each word stands at its place in `text`, and that no two places overlap.

    What `align_tokens` overlooks is overlooked here, too: case, accents, white space, straight quotes, unknown words. Two words
    may share a character that is compatible with several, such as a ligature. Words without a place (start equal to stop) must
    look like special tokens.

    Raises:
        ValueError: a word does not stand at its place, or two places overlap or are out of order.
    """
    before, reached = 0, 0
    for index, (word, (start, stop)) in enumerate(zip(words, places, strict=True)):
        plain, found = ("".join(_fold(one)[0].split()) for one in (word, text[start:stop]))
        unknown = not plain or word in UNKNOWN or "\ufffd" in word
        if start == stop and (unknown or word[:1] in ("<", "[")):
            continue
        shared = start < stop and any(_is_compatible(text[edge]) for edge in (start, stop - 1))
        if not (unknown or found in (plain, *_TREEBANK.get(plain, ())) or (shared and plain in found)):
            raise ValueError(
                f"token {index} is {word!r:.80}, but its offsets {(start, stop)} hold {text[start:stop]!r:.80}; "
                "correct the offsets or leave them out"
            )
        if start < before or (start < reached and not _is_compatible(text[start:reached])):
            raise ValueError(f"the offsets {(start, stop)} of token {index} ({word!r:.80}) overlap or precede those before it")
        before, reached = start, max(reached, stop)


def _is_compatible(text: str) -> bool:
    """Whether the text is one character that stands for several, such as a ligature or a fraction."""
    return len("".join(character for character in text if not _is_mark(character))) == 1 < len(_fold(text)[0])


def scored_words(text: str, places: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """How many words of the text have a score, and how many words there are; a word is a run of letters and digits."""
    covered = np.zeros(len(text) + 1, dtype=bool)
    for start, stop in places:
        covered[start:stop] = True
    spans = [match.span() for match in _WORD.finditer(text)]
    return sum(bool(covered[start:stop].any()) for start, stop in spans), len(spans)


def _fold(text: str) -> tuple[str, list[int]]:
    """The text in lower case without accents and with straight quotes, and the index in the original of each character."""
    if text.isascii():  # nothing of it is an accent, or becomes longer
        return text.lower(), list(range(len(text) + 1))
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for piece in unicodedata.normalize("NFKD", character):
            if _is_mark(piece):
                continue
            lowered = piece.lower().translate(_STRAIGHT)
            characters.append(lowered)
            origin.extend([index] * len(lowered))
    origin.append(len(text))
    return "".join(characters), origin


def _find_any(folded: str, spellings: Sequence[str], position: int) -> tuple[int, int]:
    """The first place of any of the spellings, or (-1, -1)."""
    found = [_find(folded, spelling, position) for spelling in spellings]
    return min((place for place in found if place[0] >= 0), default=(-1, -1))


def _find(folded: str, word: str, position: int) -> tuple[int, int]:
    """The (start, stop) of `word` at or shortly after `position`, or (-1, -1). White space inside the word is skipped."""
    start = folded.find(word, position, position + _REACH + len(word))
    if start >= 0:
        return start, start + len(word)
    for begin in range(position, min(len(folded), position + _REACH)):
        cursor, matched = begin, 0
        while matched < len(word) and cursor < len(folded):
            if folded[cursor] == word[matched]:
                matched += 1
            elif not (matched and folded[cursor].isspace()):
                break
            cursor += 1
        if matched == len(word):
            return begin, cursor
    return -1, -1


def _unknown_end(folded: str, position: int, following: Sequence[str]) -> int:
    """Where an unknown word ends: before white space, a punctuation mark, an ideograph, or the next known word."""
    end = position + 1
    while end < len(folded) and not (folded[end].isspace() or _alone(folded[end]) or _alone(folded[end - 1])):
        end += 1
    for word in following[:1]:
        found = folded.find("".join(_fold(word)[0].split()), position + 1, end)
        if found > 0:
            end = found
    return end


def _is_mark(character: str) -> bool:
    """Whether the character is an accent, or is not seen: tokenizers drop such characters, as BERT's do."""
    return unicodedata.category(character) in ("Mn", "Me", "Cf")


def _alone(character: str) -> bool:
    """Whether tokenizers in the manner of BERT make a token of the character."""
    return unicodedata.category(character)[0] == "P" or is_unspaced(character)


def _end(text: str, origin: list[int], start: int, stop: int) -> int:
    """The end of a match in the original text: one past its last character and the accents on it."""
    end = (origin[stop - 1] if stop > start else origin[start]) + 1
    while end < len(text) and _is_mark(text[end]):
        end += 1
    return end


def hull(text: str, places: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The (start, stop) of a word from its first to its last piece, without the white space that some tokenizers include."""
    covering = [place for place in places if place[0] < place[1]] or places
    start, stop = min(first for first, _ in covering), max(last for _, last in covering)
    while start < stop - 1 and text[start].isspace():
        start += 1
    while stop - 1 > start and text[stop - 1].isspace():
        stop -= 1
    return start, stop
