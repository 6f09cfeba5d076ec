"""What a text says, by its words in any order, and which texts of a class say something new."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from agents.prompting.descriptions.reading.mentions import Mentions
from agents.prompting.descriptions.reading.words import words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SPLIT = re.compile(r"[,;.:/()]|\b(?:and|or|with|but|und|oder|mit|et|avec|y|con|e|com)\b")
_JOINS = re.compile(r"[,/]|\b(?:and|or|und|oder|et|y|e)\b")


def meaning(text: str, empty: Collection[str]) -> Counter[frozenset[str]]:
    """What a text says, whatever the order: "long ears, a red and black tail" and "black and red tail and long ears" are equal.

    Words belong together up to a comma, "and" or "with". A single word before such a join belongs to what follows, as "white"
    does in "white and black tail". "White ears and a black tail" differs from "black ears and a white tail".

    Args:
        text: the text, folded.
        empty: words that say nothing.
    """
    parts: list[tuple[list[str], str]] = []
    at = 0
    for cut in [*_SPLIT.finditer(text), None]:
        piece = text[at : cut.start() if cut else len(text)]
        words = [word for word in re.findall(r"\w+", piece) if word not in empty]
        if words:
            parts.append((words, cut[0] if cut else ""))
        elif parts and cut is not None and not _JOINS.fullmatch(cut[0]):
            parts[-1] = (parts[-1][0], cut[0])
        at = cut.end() if cut else at
    phrases: list[frozenset[str]] = []
    held: list[str] = []
    for words, join in parts:
        if len(words) == 1 and _JOINS.fullmatch(join):
            held += words
        else:
            phrases.append(frozenset([*held, *words]))
            held = []
    if held:
        phrases.append(frozenset(held))
    return Counter(phrases)


def distinct_captions(captions: Sequence[str], name: str) -> list[str]:
    """The captions of a class that don't say the same as an earlier one, by their words in any order, in their order."""
    names = Mentions([name])
    first: dict[frozenset[object], str] = {}
    for text in captions:
        first.setdefault(key_of(names.without(text)), text)
    return list(first.values())


def key_of(bare: str) -> frozenset[object]:
    """What a text without names says; equal for texts that say the same, and empty where it says nothing."""
    return frozenset(meaning(bare, words("empty")).items())
