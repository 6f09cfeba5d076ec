"""A clause of a marked sentence: its head, the side it speaks for, and the marks in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.read.marking import lexicon as words
from verbalize.read.marking.marks import L, N, P

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction

PARTS, LABELS, NUMBERS = re.compile(P), re.compile(L), re.compile(N)


@dataclass(frozen=True)
class Clause:
    """A clause, and its head: the text before a continuation such as ", indicating that ..."."""

    text: str
    head: str

    def direction(self, character: str | None) -> Direction:
        """The side that the clause gives a part. Where it has words for both sides, the word nearest to the part decides."""
        return "opposes" if nearer(words.OPPOSE, words.POSITIVE, self.head, character) else "supports"


def head_of(text: str) -> str:
    """The clause without its continuation, if the clause makes a statement without it."""
    match = words.CONSEQUENCE.search(text)
    if match is None or not PARTS.search(text[: match.start()]):
        return text
    head, rest = text[: match.start()], text[match.end() :]
    if words.TOP_AFTER.search(rest):
        return text
    if words.SUPPORT.search(head) or words.OPPOSE.search(head) or words.GIVEN.search(head):
        return head
    if words.WEAK.search(text) or (not match.group().endswith("that") and words.GIVEN.search(rest)):
        return text
    added = words.ADDED.search(rest)  # "suggests that the film is funny": an association, no statement about the map
    return f"{head} {added.group()}" if added else head


def nearer(one: re.Pattern[str], other: re.Pattern[str], text: str, character: str | None) -> bool:
    """Whether `one` matches nearer to the part than `other` does. Without a part: whether `one` matches first."""
    place = max(0, text.find(character)) if character else 0
    gaps = [
        min((max(match.start() - place, place - match.end()) for match in pattern.finditer(text)), default=None)
        for pattern in (one, other)
    ]
    return gaps[0] is not None and (gaps[1] is None or gaps[0] < gaps[1])
