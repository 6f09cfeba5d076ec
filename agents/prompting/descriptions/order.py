"""Do captions belong to the classes that they are given to? What they name tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agents.prompting.descriptions.reading.mentions import Mentions
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 24
"""Captions of a class that are read: more of them say nothing new, and a file may have millions."""


class Strange(NamedTuple):
    """A class whose captions are about another one: both numbers, how many captions say so, and how many were read."""

    given: int
    meant: int
    captions: int
    read: int


class Verdict(NamedTuple):
    """What the captions of a file say about its class numbers.

    Attributes:
        strange: classes whose captions are about other classes.
        confirmed: how many classes are named by their own captions.
        unclear: classes about which their captions say nothing, in ascending order.
    """

    strange: tuple[Strange, ...]
    confirmed: int
    unclear: tuple[int, ...]


@dataclass
class _Seen:
    """What the captions of one class name: their number, how many name the class, and how many name each other one."""

    read: int = 0
    own: int = 0
    others: Counter[int] = field(default_factory=Counter)
    about: Counter[int] = field(default_factory=Counter)
    informative: int = 0

    def meant(self) -> int | None:
        """The other class that most of the captions are about; None where there is none.

        It must be named by most captions that name a class outside a comparison, and by half of all: wheels are named by some
        captions of a car. Where they do not begin with it, as in "the spots of a bengal", it must also be named by two.
        """
        if not self.others:
            return None
        best, times = min(self.others.items(), key=lambda one: (-one[1], one[0]))
        if 2 * times <= self.own + self.informative or 2 * times < self.read:
            return None
        return best if self.about[best] > 0 or times >= 2 else None

    def agree_on(self, other: int) -> bool:
        """Whether the captions are about another class throughout: three quarters of all, two or more, and no other name."""
        times = self.others[other]
        return times >= 2 and 4 * times >= 3 * self.read and times == self.own + self.informative


def judged(captions: Mapping[int, Sequence[tuple[str, int | None]]], class_names: Sequence[str]) -> Verdict:
    """Hold class numbers against what the captions name, over all classes of a file.

    The captions of a class are strange where they are about one other class, and that class has none of its own: its captions
    are strange themselves, as in a file made for the same classes in another order; or the captions at hand all name it, and
    it has no captions at all, or captions without any name although those of most classes have some. So captions of
    "basketball" that begin with "an orange ball" do no harm, as long as those of "orange" are about oranges. Comparisons
    ("unlike a beagle") say nothing. Nor does a name that is part of the class's own name, nor the other class of the pair that
    a caption is for, unless the caption begins with it or says "of" or "on" it.

    Args:
        captions: class number -> its captions, each with the number of the class from which it tells this one apart, where
            there is one; of each class some two dozen are read.
        class_names: the K classes.
    """
    finder = Mentions(class_names)
    seen = {number: _look(finder, number, texts) for number, texts in sorted(captions.items()) if number < len(class_names)}
    meant = {number: other for number, one in seen.items() if (other := one.meant()) is not None}
    confirmed = sum(one.own > 0 and number not in meant for number, one in seen.items())
    moved = len(set(meant.values()))
    believed = 2 * confirmed >= len(seen) or moved > max(2, confirmed)
    while wrong := [
        number for number, other in meant.items() if not _is_lost(seen[number], other, seen, meant, silent=believed)
    ]:
        for number in wrong:
            del meant[number]
    strange = tuple(Strange(number, other, seen[number].others[other], seen[number].read) for number, other in meant.items())
    unclear = tuple(number for number, one in seen.items() if number not in meant and one.own == 0)
    return Verdict(strange, confirmed, unclear)


def _is_lost(one: _Seen, other: int, seen: Mapping[int, _Seen], meant: Mapping[int, int], *, silent: bool) -> bool:
    """Whether a class has no captions of its own, so that those of another class may be its."""
    if other in meant:
        return True
    return one.agree_on(other) and (other not in seen or (silent and seen[other].own == 0 and not seen[other].others))


def _look(finder: Mentions, number: int, texts: Sequence[tuple[str, int | None]]) -> _Seen:
    seen = _Seen()
    for text, opponent in _spread(list(dict.fromkeys(texts))):
        seen.read += 1
        named = [one for one in finder.in_text(text) if not one.compared]
        if any(number in one.numbers for one in named):
            seen.own += 1
            continue
        # a name that several classes share tells them not apart
        single = [one for one in named if len(one.numbers) == 1 and not finder.holds(number, one.numbers[0])]
        about = {one.numbers[0] for one in single if one.leads}
        others = about | {one.numbers[0] for one in single if one.held or one.numbers[0] != opponent}
        seen.about.update(about)
        seen.others.update(others)
        seen.informative += bool(others)
    return seen


def refuse_strange(captions: Mapping[int, Sequence[tuple[str, int | None]]], class_names: Sequence[str], where: str) -> Verdict:
    """See whether captions that are given by class number belong to these classes; return what they say.

    Raises:
        UsageError: they were made for the same classes in another order, or for other classes.
    """
    verdict = judged(captions, class_names)
    if verdict.strange:
        told = "; ".join(
            f"{one.captions} of {one.read} captions for class {one.given}, {class_names[one.given]!r}, are about "
            f"{class_names[one.meant]!r}"
            for one in verdict.strange[:2]
        )
        more = "" if len(verdict.strange) <= 2 else f"; and so on for {len(verdict.strange) - 2} more"
        raise UsageError(
            f"{where} has class numbers of another list of classes, or of the same classes in another order: {told}{more}; "
            f"give the list that the file was made for, in its order (--classes FILE)"
        )
    return verdict


def _spread(texts: list[tuple[str, int | None]]) -> list[tuple[str, int | None]]:
    """At most `MOST` of the texts, from all parts of the list."""
    return texts if len(texts) <= MOST else [texts[at * len(texts) // MOST] for at in range(MOST)]
