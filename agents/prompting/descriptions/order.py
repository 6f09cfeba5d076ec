"""Do captions belong to the classes that they are given to? What they name tells."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from saywhy_core.errors import UsageError
from saywhy_core.names import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST = 24
"""Captions of a class that are read: more of them say nothing new, and a file may have millions."""

_FRAME = frozenset(
    re.findall(
        r"\w+",
        "a an the this that of photo photos picture image images photograph close up closeup shot view one some typical blurry "
        "cropped bright dark good bad low resolution my with showing shows featuring",
    )
)
"""Words that may stand before the thing that a caption is about."""


class Strange(NamedTuple):
    """A class whose captions are about another one: both numbers, how many captions say so, and how many were read."""

    given: int
    meant: int
    captions: int
    read: int


class Names:
    """Finds class names in captions: whole words, the longest name first, each place once."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._numbers: dict[str, int] = {}
        for number, name in enumerate(class_names):
            self._numbers.setdefault(_plain(name), number)
        self._numbers.pop("", None)
        longest = sorted(self._numbers, key=lambda name: (-len(name), name))
        # no word may begin before a name, or go on behind it, but for the ending of a plural
        either = "|".join(map(re.escape, longest))
        self._pattern = re.compile(rf"(?<!\w)({either})(?:e?s)?(?!\w)") if longest else None

    def in_text(self, text: str) -> list[tuple[int, bool]]:
        """The classes that a text names, in order, and whether it is about each: only words like "a photo of" stand before."""
        if self._pattern is None:
            return []
        plain = _plain(text)
        found = []
        for match in self._pattern.finditer(plain):
            before = plain[: match.start()].split()
            found.append((self._numbers[match[1]], all(word in _FRAME for word in before)))
        return found

    def without(self, text: str, number: int) -> str:
        """A text, folded and without punctuation, in which the name of one class is left out."""
        plain = _plain(text)
        if self._pattern is None:
            return plain
        return self._pattern.sub(lambda match: " " if self._numbers[match[1]] == number else match[0], plain)


def _plain(text: str) -> str:
    """A folded text without punctuation, so that "St. Bernard," and "st bernard" are alike."""
    return " ".join(re.sub(r"[^\w\s]+", " ", folded(text)).split())


def strange_classes(captions: Mapping[int, Iterable[str]], class_names: Sequence[str]) -> tuple[list[Strange], int]:
    """Classes whose captions are about other classes of the list, and how many captions name a class at all.

    A class is strange where most of its captions that are about a class at all are about the same other class, and the captions
    of that other class are not about it either, as in a file that was made for the same classes in another order. Captions of
    "basketball" that begin with "an orange ball" do no harm, as long as those of "orange" are about oranges. Where the other
    class has no captions, the ones at hand must all be about it, and there must be two at least.

    Args:
        captions: class number -> its captions; of each class some two dozen are read.
        class_names: the K classes.
    """
    names = Names(class_names)
    about: dict[int, Counter[int]] = {}
    counts: dict[int, int] = {}
    named = 0
    for number, texts in captions.items():
        if number >= len(class_names):
            continue
        read = _spread(list(dict.fromkeys(texts)))
        counts[number] = len(read)
        about[number] = Counter()
        for text in read:
            found = names.in_text(text)
            named += bool(found)
            own = any(one == number for one, _ in found)
            if own:
                about[number][number] += 1
            elif found and found[0][1] and len({one for one, _ in found}) == 1:
                about[number][found[0][0]] += 1
    strange = []
    for number, seen in sorted(about.items()):
        others = [(times, -other) for other, times in seen.items() if other != number]
        if not others:
            continue
        times, other = max(others)
        other = -other
        if 2 * times <= sum(seen.values()):
            continue
        there = about.get(other)
        lost = there is not None and counts[other] > 0
        if lost and there is not None and 2 * there[other] >= counts[other]:
            continue  # the other class is described by its own captions
        if not lost and (times < 2 or times < counts[number]):
            continue
        strange.append(Strange(number, other, times, counts[number]))
    return strange, named


def refuse_strange(captions: Mapping[int, Iterable[str]], class_names: Sequence[str], where: str) -> bool:
    """See whether captions that are given by class number belong to these classes; return whether they name any.

    Raises:
        UsageError: they were made for the same classes in another order, or for other classes.
    """
    strange, named = strange_classes(captions, class_names)
    if strange:
        told = "; ".join(
            f"{one.captions} of {one.read} captions for class {one.given}, {class_names[one.given]!r}, are about "
            f"{class_names[one.meant]!r}"
            for one in strange[:2]
        )
        more = "" if len(strange) <= 2 else f"; and so on for {len(strange) - 2} more"
        raise UsageError(
            f"{where} has class numbers of another list of classes, or of the same classes in another order: {told}{more}; "
            f"give the list that the file was made for, in its order (--classes FILE)"
        )
    return named > 0


def _spread(texts: list[str]) -> list[str]:
    """At most `MOST` of the texts, from all parts of the list."""
    return texts if len(texts) <= MOST else [texts[at * len(texts) // MOST] for at in range(MOST)]
