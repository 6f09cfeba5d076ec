"""What stands between the words of a text: a blank, or nothing.

A map that comes without its text holds only tokens: "couldn", "'", "t". `gaps` says which of them to write together, so that a
quotation looks as it does in the input: "couldn't", "well-made", "$5", "(so far)".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from verbalize.scripts import clings, is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLITICS = frozenset(("s", "t", "re", "ll", "ve", "d", "m"))
_PENN_CLITICS = frozenset(
    f"{start}{mark}{end}" for mark in "'’" for start, end in (("n", "t"), *(("", clitic) for clitic in _CLITICS))
)
_PREFIXES = frozenset(("o", "d", "l", "qu"))  # o'clock, d'accord, l'amour, qu'il
_CLOSERS = re.compile(r"[,.;:!?…)\]}»”’°]+|''|%")
_OPENERS = frozenset(("(", "[", "{", "«", "“", "‘", "„", "``", "¿", "¡"))
_CURRENCIES = frozenset("$£€¥₹#@")
_PER = frozenset(("%", "‰"))
_JOINERS = frozenset(("-", "‐", "‑", "/", "_"))  # not dashes, which stand apart
_REPEATED = frozenset("*-_~=")
_GLUED = re.compile(r"\w.*[,;!?]", re.DOTALL)  # "great," shows that the words were split at blanks


@lru_cache(maxsize=64)
def gaps(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """(n,) what to write before each token: "" or a blank. The first gap is empty.

    Punctuation is set as in English. If a word has a mark at its end ("great,"), the tokens were split at blanks, and only
    scripts without blanks are joined. A hyphen between two words is taken for a compound, as tokens don't tell it from a dash.
    """
    found = [" "] * len(tokens)
    if found:
        found[0] = ""
    split_at_blanks = any(_GLUED.fullmatch(token) for token in tokens)
    opened: dict[str, bool] = {}
    join = False  # whether the next token follows without a blank
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        if index and (join or _without_blanks(before, token)):
            found[index] = ""
        join = False
        if split_at_blanks or token.isalnum() or not token.strip():
            if not split_at_blanks and index > 1 and _continues(tokens, index):
                found[index] = ""
            continue
        attach, join = _attachment(token, before, after, opened)
        if index and attach and before.strip():
            found[index] = ""
    return tuple(found)


def joined(tokens: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Tokens as a text, set as `gaps` says, and the (start, stop) place of each token in it."""
    text, places = "", []
    for gap, token in zip(gaps(tuple(tokens)), tokens, strict=True):
        start = len(text) + len(gap)
        text += gap + token
        places.append((start, len(text)))
    return text, tuple(places)


def _attachment(token: str, before: str, after: str, opened: dict[str, bool]) -> tuple[bool, bool]:
    """Whether a token with a mark is written without a blank before it, and whether the next one is."""
    mark = token
    words = before[-1:].isalnum() and after[:1].isalnum()
    if token in _JOINERS:
        return (words or before == token, words)
    if token in _REPEATED and before == token:
        return True, False
    if token in ("'", "’"):
        clitic = after.lower() in _CLITICS and before[-1:].isalnum() and (after.lower() != "t" or before[-1:] in "nN")
        if clitic or (words and before.lower() in _PREFIXES):
            return True, True
        if mark == "’" or (before[-1:] in ("s", "S") and not opened.get(token)):
            return True, False
    if token in ("'", '"'):
        opened[token] = not opened.get(token, False)
        return not opened[token], opened[token]
    if token in _OPENERS or (token in _CURRENCIES and after[:1].isalnum()):
        return False, True
    if mark in _PER:
        return before[-1:].isdigit(), False
    return bool(_CLOSERS.fullmatch(token)) or token.lower() in _PENN_CLITICS, False


def _continues(tokens: tuple[str, ...], index: int) -> bool:
    """Whether a token goes on with a number or an abbreviation: the 5 of "3.5", the 000 of "1,000", the S of "U.S."."""
    first, mark, last = tokens[index - 2], tokens[index - 1], tokens[index]
    if first[-1:].isdigit() and last.isdigit():
        return mark == "." or (mark == "," and len(last) == 3) or (mark == ":" and len(last) == 2)
    letters = len(first) == len(last) == 1 and first.isalpha() and last.isalpha()
    return mark == "." and letters and tokens[index + 1 : index + 2] == (".",)


def _without_blanks(before: str, after: str) -> bool:
    return bool(before and after) and _bare(before[-1]) and _bare(after[0])


def _bare(character: str) -> bool:
    return character >= "\u0e00" and (
        is_unspaced(character) or "\u3000" <= character <= "\u303f" or "\uff00" <= character <= "\uff65"
    )


def compounds(tokens: Sequence[str], close: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """For each word, the first and the last word of the compound in which it stands.

    A compound is written without blanks and holds together: "couldn't", "well-made", "and/or", "$5", "3.5%", or the pieces of a
    word that a tokenizer cut. A word that is no compound is its own first and last word.

    Args:
        tokens: (n,) the words.
        close: (n,) whether a word follows the one before it without a blank.
    """
    bounds = [(index, index) for index in range(len(tokens))]
    first = 0
    if not any(close):
        return tuple(bounds)
    for index in range(1, len(tokens)):
        if not (close[index] and _held(tokens, close, index)):
            first = index
        elif first < index:
            for member in range(first, index + 1):
                bounds[member] = (first, index)
    return tuple(bounds)


def _held(tokens: Sequence[str], close: Sequence[bool], index: int) -> bool:
    """Whether a word that follows another without a blank is in one compound with it."""
    before, token = tokens[index - 1], tokens[index]
    if not before or not token or _without_blanks(before, token):
        return False
    if token[0].isalnum():
        if before[-1].isalnum() or before in _CURRENCIES:
            return True
        return index > 1 and close[index - 1] and _joins(before, tokens[index - 2], token)
    if token in _PER:
        return before[-1].isdigit()
    after = tokens[index + 1] if index + 1 < len(tokens) and close[index + 1] else ""
    return token.lower() in _PENN_CLITICS or _joins(token, before, after)


def _joins(mark: str, before: str, after: str) -> bool:
    """Whether a mark between two words without blanks makes one compound of them."""
    if not (before[-1:].isalnum() and after[:1].isalnum()):
        return False
    if mark in (".", ",", ":"):
        return (before[-1].isdigit() and after[0].isdigit()) or (mark == "." and len(before) == len(after) == 1)
    return mark in _JOINERS or mark in ("'", "’", "&", "@")


def overlap(places: Sequence[tuple[int, int]]) -> bool:
    """Whether a word begins before the word before it ends, so that the text can't be cut into words."""
    return any(before[1] > after[0] for before, after in pairwise(places))


def pieces_between(text: str, places: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int | None]]:
    """The text in order: words with their index, and the characters between them with None.

    Args:
        text: the text.
        places: (start, stop) of each word in it, which don't `overlap`.
    """
    at = 0
    for index, (start, stop) in enumerate(places):
        if start > at:
            yield text[at:start], None
        yield text[start:stop], index
        at = stop
    if at < len(text):
        yield text[at:], None


_APOSTROPHES = "'’"


def word_places(text: str) -> list[tuple[int, int]]:
    """(start, stop) of each word of a text: a run of letters and digits, or one mark.

    An apostrophe between letters belongs to the word. In scripts without blanks each character is a word.
    """
    places: list[tuple[int, int]] = []
    for at, character in enumerate(text):
        if character.isspace():
            continue
        if places and places[-1][1] == at and (_goes_on(text, at) or clings(text[slice(*places[-1])], character)):
            places[-1] = (places[-1][0], at + 1)
        else:
            places.append((at, at + 1))
    return places


def _goes_on(text: str, at: int) -> bool:
    """Whether the character goes on with the word of the character before it."""
    if text[at] in _APOSTROPHES:
        return _is_letter(text[at - 1]) and _is_letter(text[at + 1 : at + 2])
    return _is_letter(text[at]) and (
        _is_letter(text[at - 1]) or (at > 1 and text[at - 1] in _APOSTROPHES and _goes_on(text, at - 1))
    )


def _is_letter(character: str) -> bool:
    return character == "_" or (
        bool(character) and (character.isalnum() or unicodedata.category(character)[0] == "M") and not is_unspaced(character)
    )
