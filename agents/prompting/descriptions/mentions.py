"""Which classes a caption names, and in what role: as what it shows, or as what that is compared with."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from saywhy_core.names import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FRAME = frozenset(
    re.findall(
        r"\w+",
        "a an the this that these those is are it of photo picture image photograph close up closeup shot view one two some "
        "several typical blurry cropped bright dark good bad low resolution my with showing shows show featuring depicting",
    )
)
"""Words that may stand before the thing that a caption is about."""

_COMPARING = frozenset(
    re.findall(
        r"\w+",
        "than unlike like compared comparison versus vs whereas while where but not no without rather instead similar "
        "resembles resemble resembling from other as contrast opposed against differs different which that lack",
    )
)
"""Words after which a name is that of another thing, up to the next comma or name."""

_BEHIND = frozenset(["like", "sized", "shaped", "lack"])
"""Words after a name which make it a comparison, as in "a dog-like head" and "spots that the dog lacks"."""

_HOLDING = frozenset(["of", "on", "showing", "show", "featuring", "depicting", "about"])
"""Words that stand before the thing a caption shows, as in "the round ears of a beagle"."""

_ARTICLES = frozenset(["a", "an", "the", "this", "some", "two"])
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Thai, Lao, Kana, Han and Hangul: scripts that write words without spaces between them, or join endings to them."""

_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+|[,;:.!?()\n]")
_PLURAL = re.compile(r"(?:(?<=[a-z]{2})ies|(?<=ss|ch|sh)es|(?<=[xz])es|(?<=[a-rt-z])(?<!u)(?<!i)s)\Z")
"""The ending of an English plural: "daisies", "boxes", "beagles", and neither "glass" nor "virus" nor "iris"."""


class Mention(NamedTuple):
    """A name in a caption.

    Attributes:
        numbers: the classes that the name may mean: several where names or parts of them are shared.
        leads: whether only words such as "a photo of a" stand before it.
        held: whether it stands behind "of a", "on the", "showing a" and the like, or leads.
        compared: whether it is what the caption's own thing is compared with.
    """

    numbers: tuple[int, ...]
    leads: bool
    held: bool
    compared: bool


class Mentions:
    """Finds class names in captions: whole words in the singular or plural, the longest name first, each place once.

    A part of a name counts where nothing else has it as a name: of "tench, Tinca tinca", "highway or road" and
    "crane (bird)", also "tench", "road" and "crane". Names without two letters are not looked for: "a" and "2" are words of
    any caption.

    Args:
        class_names: the K classes.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._numbers: dict[tuple[str, ...], tuple[int, ...]] = {}
        parts: dict[tuple[str, ...], list[int]] = {}
        self._words: list[frozenset[str]] = []
        for number, name in enumerate(class_names):
            words = tuple(_words(name))
            self._words.append(frozenset(words))
            if _can_be_sought(words):
                whole = tuple(_tokens(name))  # with the signs in it, as in "St. Bernard", which a caption may have or leave out
                for spelled in dict.fromkeys([words, whole]):
                    self._numbers[spelled] = (*self._numbers.get(spelled, ()), number)
            for part in _parts(name):
                if _can_be_sought(short := tuple(_words(part))) and short != words:
                    parts.setdefault(short, []).append(number)
        for short, numbers in parts.items():
            self._numbers.setdefault(short, tuple(dict.fromkeys(numbers)))
        self._lengths: dict[str, list[int]] = {}  # of the names that begin with a word, longest first
        for words in sorted(self._numbers, key=len, reverse=True):
            lengths = self._lengths.setdefault(words[0], [])
            if len(words) not in lengths:
                lengths.append(len(words))

    def holds(self, number: int, other: int) -> bool:
        """Whether all words of the other class's name stand in this class's: "bulldog" may be short for "american bulldog"."""
        return self._words[other] <= self._words[number]

    def in_text(self, text: str) -> list[Mention]:
        """The names in a text, in order."""
        words = list(_tokens(text))
        found: list[Mention] = []
        place = since = 0  # `since`: where the clause began, or the last name ended
        while place < len(words):
            size = next(
                (size for size in self._lengths.get(words[place], ()) if tuple(words[place : place + size]) in self._numbers), 0
            )
            if not size:
                since = place + 1 if words[place] in _STOPS else since
                place += 1
                continue
            before = words[:place]
            leads = all(word in _FRAME for word in before)
            close = next((word for word in reversed(before) if word not in _ARTICLES), "")
            behind = words[place + size] if place + size < len(words) else ""
            compared = behind in _BEHIND or (not leads and any(word in _COMPARING for word in words[since:place]))
            numbers = self._numbers[tuple(words[place : place + size])]
            found.append(Mention(numbers, leads, leads or close in _HOLDING, compared))
            place += size
            since = place
        return found


_STOPS = frozenset(",;:.!?()\n")


def _can_be_sought(words: tuple[str, ...]) -> bool:
    letters = "".join(words)
    enough = sum(letter.isalpha() for letter in letters) >= (2 if letters.isascii() else 1)
    return enough and not all(word in _FRAME or word in _COMPARING for word in words)


def _parts(name: str) -> list[str]:
    """The synonyms that a name lists, and a name without its explanation in brackets."""
    bare = re.sub(r"\([^)]*\)", " ", name)
    return [bare, *re.split(r",|/|\bor\b", bare)]


def _words(text: str) -> list[str]:
    return [word for word in _tokens(text) if word not in _STOPS]


def _tokens(text: str) -> Iterator[str]:
    """The words of a text, folded and in the singular, and the signs that end clauses."""
    plain = folded(text)
    if not plain.isascii():  # vowels of Indic scripts are marks, and part of their words
        plain = "".join(
            f"{ord(one):x}" if unicodedata.category(one).startswith("M") and not _is_unspaced(one) else one for one in plain
        )
    for word in _WORD.findall(plain):
        yield _PLURAL.sub(lambda ending: "y" if ending[0] == "ies" else "", word) if len(word) > 3 else word


def _is_unspaced(character: str) -> bool:
    return re.match(rf"[{_UNSPACED}]", character) is not None
