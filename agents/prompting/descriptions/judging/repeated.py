"""Captions that come again in many classes of a file, and so tell nothing apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.prompting.descriptions.reading.meaning import key_of
from agents.prompting.descriptions.reading.mentions import Mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.prompting.descriptions.pairs import PairDescriptions

FEWEST = 4
"""Of how many classes a caption must be said to count as repeated: of three classes, many a caption is said of two."""


class Repeated(NamedTuple):
    """A caption that is said of at least half of the classes described.

    Attributes:
        caption: as one of the classes has it.
        classes: the numbers of the classes, in ascending order.
        described: how many classes have captions.
    """

    caption: str
    classes: tuple[int, ...]
    described: int

    @property
    def why(self) -> str:
        """What is wrong with it, in words."""
        return (
            f"{self.caption!r:.120} is said, but for the name, of {len(self.classes)} of the {self.described} classes "
            f"described, and tells none of these from another"
        )


def repeated_captions(pairs: PairDescriptions, class_names: Sequence[str]) -> list[Repeated]:
    """The captions of a file that are said of half of its classes or more, those of the most classes first.

    Captions say the same where they have the same words in any order, their own class's name left out. In FuDD's file of 37
    pets the most common one, "round eyes", is said of 17.

    Args:
        pairs: the descriptions, arranged for these classes.
        class_names: the K classes.
    """
    names = Mentions(class_names)
    said: dict[frozenset[object], tuple[str, set[int]]] = {}
    described: set[int] = set()
    for pair, contrasts in pairs.items():
        for side, number in enumerate(pair):
            described.add(number)
            for text in dict.fromkeys(one.captions[side] for one in contrasts):
                bare = names.without(text, number)
                if key := key_of(bare):
                    said.setdefault(key, (text, set()))[1].add(number)
    most = max(FEWEST, (len(described) + 1) // 2)
    found = [Repeated(text, tuple(sorted(of)), len(described)) for text, of in said.values() if len(of) >= most]
    return sorted(found, key=lambda one: -len(one.classes))
