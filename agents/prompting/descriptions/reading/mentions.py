"""Which classes a text names, where, and in what role: as what it shows, or as what that is compared with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agents.prompting.descriptions.reading.spelling import STOPS, forms, signed_names, tokens, words_of
from agents.prompting.descriptions.reading.words import signs, words
from saywhy_core.names import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.prompting.descriptions.reading.spelling import Token

_FRAME = words("frame") | {sign for phrase in signs("frame") for sign in phrase}
"""Words that may stand before the thing that a caption is about."""

_PHOTO = words("photo")
_QUALITY = words("quality")
"""Words that may stand before the thing only where a photo is meant, as in "a bad photo of a dog", and not in "a dark dog"."""

_COMPARING = words("comparing")
"""Words after which a name is that of another thing, up to the next comma or name."""

_BEHIND = frozenset(["like", "sized", "shaped", "lack", "lacks"])
"""Words after a name which make it a comparison, as in "a dog-like head" and "spots that the dog lacks"."""

_HOLDING = frozenset(["of", "on", "showing", "show", "shows", "featuring", "depicting", "about"])
"""Words that stand before the thing a caption shows, as in "the round ears of a beagle"."""

_ARTICLES = frozenset(
    ["a", "an", "the", "this", "some", "two", "ein", "eine", "einem", "einer", "un", "une", "una", "um", "uma"]
)
_MARKERS = words("marker")
"""Words behind which any sign may be a name: "the letter A", "class 2"."""

_REMEMBERED = 4096
"""Texts and words of which the names are remembered: a caption is looked at several times in a row."""

_NUMERALS = frozenset("一二三四五六七八九十〇零百千")
_SIGNED = re.compile(r"[^\w\s.,'’-]")
_ENDS = re.compile(
    r"[^\w\s'’-]|[的の의]|['’]s\b|(?:with|without|that|which|who|whose|has|have|having|is|are|was|in|on|at|by|and|or|of|from|as|showing|"
    r"standing|sitting|lying|wearing|mit|ohne|hat|und|avec|sans|con|sin|com|sem|с)\b"
)
"""What follows a name that stands for the thing itself, as in "a beagle with ..." and unlike "an orange ball"."""

_WEAK_ENDS = re.compile(r"[^\w\s'’-]|[的の의]|(?:with|without|has|having|is|whose|mit|ohne|hat|avec|sans|con|sin|com|sem|с)\b")
"""What follows where a name such as "2" or "photo" stands for the thing itself, and unlike "2 loops" and "photo of"."""


class Mention(NamedTuple):
    """A name in a text.

    Attributes:
        numbers: the classes that the name may mean: several where names or parts of them are shared.
        start: where it begins in the folded text.
        end: where it ends.
        whole: whether it is all of a class's name, and not a part that means the class.
        leads: whether only words such as "a photo of a" stand before it.
        framed: whether such a word is "photo" or the like.
        held: whether it stands behind "of a", "on the", "showing a" and the like, or leads.
        compared: whether it is what the caption's own thing is compared with.
        itself: whether it stands for the thing itself, and not for a quality of what follows, as in "an orange ball".
    """

    numbers: tuple[int, ...]
    start: int
    end: int
    whole: bool
    leads: bool
    framed: bool
    held: bool
    compared: bool
    itself: bool


class _Node(dict[str, "_Node"]):
    """The words that may come next in names that begin alike; `named` says which name ends here."""

    named: tuple[tuple[int, ...], bool] | None = None  # the numbers, and whether the name is whole


class Mentions:
    """Finds class names in texts: whole words in the singular or plural, the longest name first, each place once.

    A part of a name counts where nothing else has it as a name: of "tench, Tinca tinca", "highway or road" and
    "crane (bird)", also "tench", "road" and "crane". Names with signs in them, such as "C++" and "<b>", are also found by their
    signs. Names that are words or signs of any caption, such as "a", "2", "и" and "photo", count only where they stand for the
    thing itself: "a photo of a 2, with ...", "A: ...", "the letter A", and neither "2 loops" nor "a photo of a dog".

    Args:
        class_names: the K classes.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        names: dict[tuple[str, ...], tuple[int, ...]] = {}
        parts: dict[tuple[str, ...], list[int]] = {}
        self._words: list[frozenset[str]] = []
        sought = [folded(name) for name in class_names]
        self._signed = signed_names(name for name in sought if _SIGNED.search(name) or (name and not words_of(name)))
        for number, name in enumerate(sought):
            plain = tuple(words_of(name))
            self._words.append(frozenset(plain))
            spellings = [tuple(one.text for one in tokens(name, self._signed))]
            if _SIGNED.search(name) is None or not _is_weak(plain):  # "c" is no spelling of "C++"
                spellings += [tuple(one.text for one in tokens(name)), plain]
            for spelled in dict.fromkeys(spellings):
                if spelled and not all(word in STOPS for word in spelled):
                    names[spelled] = (*names.get(spelled, ()), number)
            for part in _parts(name):
                if (short := tuple(words_of(part))) and not _is_weak(short) and short != plain:
                    parts.setdefault(short, []).append(number)
        self._root = _Node()
        self._found: dict[str, tuple[Mention, ...]] = {}
        self._likest: dict[str, tuple[str, ...]] = {}
        self._like: dict[str, list[str]] = {}  # the words of names by their forms
        for short, several in parts.items():
            if short not in names:
                self._add(short, tuple(dict.fromkeys(several)), whole=False)
        for spelled, numbers in names.items():
            self._add(spelled, numbers, whole=True)

    def holds(self, number: int, other: int) -> bool:
        """Whether all words of the other class's name stand in this class's: "bulldog" may be short for "american bulldog"."""
        return self._words[other] <= self._words[number]

    def in_text(self, text: str) -> tuple[Mention, ...]:
        """The names in a text, in order."""
        plain = folded(text)
        found = self._found.get(plain)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()  # another thread may do so at any moment, too
            found = self._found[plain] = self._find(plain)
        return found

    def without(self, text: str, *numbers: int) -> str:
        """A text, folded, in which the names of all classes, or of these, are left out."""
        plain = folded(text)
        kept, at = [], 0
        for one in self.in_text(plain):
            if not numbers or any(number in one.numbers for number in numbers):
                kept.append(plain[at : one.start])
                at = one.end
        return " ".join([*kept, plain[at:]])

    def _find(self, plain: str) -> tuple[Mention, ...]:
        said = tokens(plain, self._signed)
        found: list[Mention] = []
        place = since = 0  # `since`: where the clause began, or the last name ended
        while place < len(said):
            size, named = self._longest(said, place)
            if named is not None and (one := self._seen(plain, said, since, place, size, named)):
                found.append(one)
                place += size
                since = place
                continue
            since = place + 1 if said[place].text in STOPS else since
            place += 1
        return tuple(found)

    def _add(self, spelled: tuple[str, ...], numbers: tuple[int, ...], *, whole: bool) -> None:
        node = self._root
        for word in spelled:
            if word not in node:
                node[word] = _Node()
                for form in forms(word):
                    if word not in self._like.setdefault(form, []):
                        self._like[form].append(word)
            node = node[word]
        node.named = (numbers, whole)

    def _near(self, text: str) -> tuple[str, ...]:
        """The words of names that a word may be, in the singular or plural; that very word first."""
        found = self._likest.get(text)
        if found is None:
            if len(self._likest) >= _REMEMBERED:
                self._likest.clear()
            near = dict.fromkeys(word for form in forms(text) for word in self._like.get(form, ()))
            found = (*((text,) if text in near else ()), *(word for word in near if word != text))
            self._likest[text] = found
        return found

    def _longest(self, said: Sequence[Token], place: int) -> tuple[int, tuple[tuple[int, ...], bool] | None]:
        """How many words the longest name has that begins at a place, and what it names."""
        nodes = [self._root]
        size = 0
        best: tuple[int, tuple[tuple[int, ...], bool] | None] = (0, None)
        while nodes and place + size < len(said):
            near = self._near(said[place + size].text)
            nodes = [node[word] for word in near for node in nodes if word in node]
            size += 1
            named = next((node.named for node in nodes if node.named), None)  # the very spelling first
            best = best if named is None else (size, named)
        return best

    def _seen(
        self, plain: str, said: Sequence[Token], since: int, place: int, size: int, named: tuple[tuple[int, ...], bool]
    ) -> Mention | None:
        """The name at a place, in its role; None where it is a word of any caption and stands for nothing."""
        before = [token.text for token in said[:place]]
        start, end = said[place].start, said[place + size - 1].end
        framed = any(word in _PHOTO for word in before)
        leads = _leads(before)
        after = plain[end:].lstrip()
        marked = bool(before) and before[-1] in _MARKERS and before[-1] not in STOPS
        if _is_weak([token.text for token in said[place : place + size]]):
            quoted = plain[max(start - 1, 0) : start] in {'"', "“", "«", "'", "‘"} and start > 0
            if not marked and not quoted and not (leads and (not after or _WEAK_ENDS.match(after))):
                return None
        if marked and all(word in _FRAME | _MARKERS for word in before):
            leads = True
            start = said[place - 1].start
        close = next((word for word in reversed(before) if word not in _ARTICLES), "")
        behind = said[place + size].text if place + size < len(said) else ""
        compared = behind in _BEHIND or (not leads and any(token.text in _COMPARING for token in said[since:place]))
        itself = not after or _ENDS.match(after) is not None
        return Mention(named[0], start, end, named[1], leads, leads and framed, leads or close in _HOLDING, compared, itself)


def _leads(before: Sequence[str]) -> bool:
    """Whether words only lead up to the thing that a caption is about."""
    last = max((place for place, word in enumerate(before) if word in _PHOTO), default=-1)
    return all(word in _FRAME or word == ":" or (place < last and word in _QUALITY) for place, word in enumerate(before))


def _is_weak(said: Sequence[str]) -> bool:
    """Whether a name is made of words that any caption may have, or is too short to be told from them."""
    together = "".join(word for word in said if word not in STOPS)
    if len(together) == 1 and "\u3400" <= together <= "\u9fff":
        return together in _NUMERALS
    if _SIGNED.search(together):
        return False
    enough = sum(letter.isalpha() for letter in together) >= 2
    return not enough or all(word in _FRAME or word in _COMPARING or word in _PHOTO for word in said)


def _parts(name: str) -> list[str]:
    """The synonyms that a name lists, and a name without its explanation in brackets."""
    bare = re.sub(r"\([^)]*\)", " ", name)
    return [bare, *re.split(r",|/|\bor\b", bare)]
