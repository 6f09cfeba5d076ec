"""Class names in captions: where they stand, and which class a caption is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agents.prompting.descriptions.judging.words import words
from saywhy_core.names import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Thai, Lao, Kana, Han and Hangul: scripts that write words without spaces between them, or join endings to them."""

_FRAME = words("frame")
"""Words that may stand before the thing that a caption is about."""

_PHOTO = re.compile(r"(?:photo|photograph|picture|image|shot|view|foto|bild|imagen|fotografía|fotografia|immagine)s?\b")
_ENDS = re.compile(
    r"[^\w\s'’-]|[的の의]|['’]s\b|(?:with|without|that|which|who|whose|has|have|having|is|are|was|in|on|at|by|and|or|of|from|as|showing|"
    r"standing|sitting|lying|wearing|mit|ohne|hat|und|avec|sans|con|sin|com|sem|с)\b"
)
"""What follows a name that stands for the thing itself, as in "a beagle with ..." and unlike "an orange ball"."""


class Naming(NamedTuple):
    """A name in a text.

    Attributes:
        number: of the class.
        start: where the name begins in the folded text.
        end: where it ends.
        leads: whether only words such as "a photo of a" stand before it.
        framed: whether such a word is "photo" or the like.
        whole: whether the name stands for the thing itself, and not for a quality of what follows.
    """

    number: int
    start: int
    end: int
    leads: bool
    framed: bool
    whole: bool


class Finder:
    """Finds class names in captions: whole words, the longest name first, each place once; case and punctuation don't count.

    Args:
        class_names: the K classes.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._numbers: dict[str, int] = {}
        for number, name in enumerate(class_names):
            self._numbers.setdefault(_words(name), number)
        self._numbers.pop("", None)
        longest = sorted(self._numbers, key=lambda name: (-len(name), name))
        either = "|".join(r"[\W_]+".join(map(re.escape, name.split())) for name in longest)
        # no word may begin before a name, or go on behind it, but for the ending of a plural
        edge = rf"[^\W{_UNSPACED}]"
        self._pattern = re.compile(rf"(?<!{edge})({either})(?:e?s)?(?!{edge})") if longest else None
        self._signs = {number: folded(name) for number, name in enumerate(class_names) if re.search(r"[^\w\s.,'’-]", name)}

    def namings(self, text: str) -> list[Naming]:
        """The names in a text, in order."""
        plain = folded(text)
        found = []
        for match in self._pattern.finditer(plain) if self._pattern else ():
            before = re.findall(r"\w+", plain[: match.start()])
            leads = all(word in _FRAME for word in before)
            after = plain[match.end() :].lstrip()
            number = self._numbers[_words(match[1])]
            whole = not after or _ENDS.match(after) is not None
            found.append(Naming(number, match.start(), match.end(), leads, leads and bool(_framed(before)), whole))
        return found

    def without(self, text: str, number: int | None = None) -> str:
        """A text, folded, in which the names of all classes, or of one, are left out."""
        plain = folded(text)
        for one, sign in self._signs.items():  # a name such as "<b>" goes with its signs, which would look like markup
            if number in (None, one):
                plain = plain.replace(sign, " ")
        kept, at = [], 0
        for name in self.namings(plain):
            if number in (None, name.number):
                kept.append(plain[at : name.start])
                at = name.end
        return " ".join([*kept, plain[at:]])


def wrong_class(finder: Finder, caption: str, own: int, other: int) -> int | None:
    """The class that a caption is about in the place of its own; None where it is about its own, or about none by name.

    A caption without its own name is put behind it, so that "longer ears than a beagle" says something of its own class. A
    caption with both names must begin with its own. "An orange basketball" is about a basketball.

    Args:
        finder: of all classes.
        caption: the text.
        own: the number of the caption's class.
        other: the number of the class that it is told apart from.
    """
    found = finder.namings(caption)
    if not found or found[0].number == own:
        return None
    first = found[0]
    mine = next((one for one in found if one.number == own), None)
    about = first.leads and (first.whole or (first.framed and mine is None))
    if about:
        return first.number
    if mine is not None and first.number == other:
        return None if mine.start - first.end <= 1 and first.leads else first.number
    return None


def _framed(before: Sequence[str]) -> bool:
    return any(_PHOTO.fullmatch(word) for word in before)


def _words(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", folded(name)))
