"""The words of a text as names are sought among them: in any script, in the singular or plural, with their places."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Thai, Lao, Kana, Han and Hangul: scripts that write words without spaces between them, or join endings to them."""

STOPS = frozenset(",;:.!?()\n。、،؛।…")
"""Signs that end clauses."""

_IRREGULAR = {"mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "oxen": "ox", "children": "child"}
_IRREGULAR |= {"cacti": "cactus", "fungi": "fungus", "people": "person", "larvae": "larva"}
_ENDINGS = (
    (re.compile(r"(?<=[^\W\d_]{2})ies\Z"), ("y", "ie")),
    (re.compile(r"(?<=[^\W\d_]{2})ves\Z"), ("f", "fe", "ve")),
    (re.compile(r"(?<=[^\W\d_]{2})(?:(?<=s|x|z|o)|(?<=ch|sh))es\Z"), ("", "e")),
    (re.compile(r"(?<=[^\W\d_]{2})men\Z"), ("man",)),
    (re.compile(r"(?<=[^\W\d_]{2})(?<!s)(?<!u)(?<!i)s\Z"), ("",)),
)
"""Endings of English plurals and what may stand in their place: "daisies", "wolves", "boxes", "firemen", "beagles", and neither
"glass" nor "virus" nor "iris"."""


class Token(NamedTuple):
    """A word, or a sign that ends a clause, and where it begins and ends in the text."""

    text: str
    start: int
    end: int


def tokens(text: str, signed: re.Pattern[str] | None = None) -> list[Token]:
    """The words of a text and the signs that end clauses, in order.

    Args:
        text: the text, folded. A word goes on behind the apostrophe in "beagle's", and ends before that in "l'orange"; of the
            scripts in `UNSPACED` each sign is a word.
        signed: what is a word with all its signs, such as "c++"; see `signed_names`.
    """
    found: list[Token] = []
    word = _word(text.isascii())

    def between(start: int, end: int) -> None:
        found.extend(
            Token(one[0].replace("'", "").replace("’", ""), one.start(), one.end()) for one in word.finditer(text, start, end)
        )

    at = 0
    for one in signed.finditer(text) if signed else ():
        between(at, one.start())
        found.append(Token(one[0], one.start(), one.end()))
        at = one.end()
    between(at, len(text))
    return found


def words_of(text: str) -> list[str]:
    """The words of a text, folded, without the signs that end clauses."""
    return [one.text for one in tokens(text) if one.text not in STOPS]


def signed_names(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds names, folded, with the signs in them; None where there are none. The longest name counts."""
    longest = sorted(set(names) - {""}, key=lambda name: (-len(name), name))
    if not longest:
        return None
    edge = {True: rf"(?<![^\W{UNSPACED}])", False: ""}
    behind = {True: rf"(?![^\W{UNSPACED}])", False: ""}
    return re.compile("|".join(edge[name[0].isalnum()] + re.escape(name) + behind[name[-1].isalnum()] for name in longest))


@lru_cache(maxsize=65536)
def forms(word: str) -> tuple[str, ...]:
    """A word and what may be its singular: two words are one in the singular or plural where they share a form."""
    if len(word) <= 3:
        return (word,)
    found = dict.fromkeys([word, _IRREGULAR.get(word, word)])
    for ending, singulars in _ENDINGS:
        if ending.search(word):
            found |= dict.fromkeys(ending.sub(singular, word) for singular in singulars)
    return tuple(found)


@cache
def _word(ascii_only: bool) -> re.Pattern[str]:
    # vowels of Indic scripts are marks, and part of their words
    marks = "" if ascii_only else _marks()
    letter = rf"(?:(?![{UNSPACED}])[^\W_]{f'[{marks}]*' if marks else ''})"
    return re.compile(rf"[{UNSPACED}]|{letter}+(?:['’]s(?![^\W_]))?|[{re.escape(''.join(sorted(STOPS)))}]")


def _marks() -> str:
    unspaced = re.compile(f"[{UNSPACED}]")
    found = (chr(code) for code in range(0x300, sys.maxunicode + 1) if code < 0x20000 or code >= 0xE0100)
    return "".join(one for one in found if unicodedata.category(one)[0] == "M" and not unspaced.match(one))
