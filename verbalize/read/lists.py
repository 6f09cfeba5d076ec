"""Lists under a heading, and tables of words and scores, as the sentences that they stand for.

"The most important words are:" with the items "- 'great'" and "- 'fine' (0.8)" says the same as "The most important words are 'great'
and 'fine' (0.8)." Under a heading that says "in order", the k-th item says that its word is in place k. A row "| great |
2.0 |" of a table with the columns "word" and "score" says that 'great' has a score of 2.0. Such sentences are written here and
read like all others; a list of any other make is left to the reader as it is.
"""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ITEM = re.compile(
    r"(?:[-*•–+]|(?P<number>\d{1,3})[.)])\s+(?P<open>[\"'“‘«„`]|\*\*)?(?P<part>[^\"'“”‘’«»„`*_():|\n=]{1,80}?)(?P<close>[\"'”’»“`]|\*\*)?"
    r"(?:\s*(?:\(|:|=|–|—|-)\s*(?:(?:score|weight)\s*[:=]?\s*)?(?P<score>[-−]?\d{1,9}(?:\.\d{1,20})?(?:\s?%)?)\)?)?[.,;]?"
)
_ORDER = re.compile(
    r",?\s*(?:\(?(?:in|by) (?:descending )?order(?: of (?:importance|weight|score))?\)?|ranked(?: by (?:importance|weight|score))?|\(ranked\))\s*$",
    re.IGNORECASE,
)
_RANKED = re.compile(
    r"(?:the\s+)?(?P<top>most (?:important|influential|decisive|relevant|salient)|strongest|top)(?:\s+(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten))?\s+(?P<noun>word|token|term|feature|region)s\b(?P<rest>[^.\n]*)",
    re.IGNORECASE,
)
_COPULA = re.compile(r"\b(?:are|is|were|was)\s*$", re.IGNORECASE)
_PLACES = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ", "ninth ", "tenth ")
_WORD_COLUMN = frozenset({"word", "words", "token", "tokens", "term", "terms", "feature", "phrase", "region"})
_SCORE_COLUMN = frozenset({"score", "scores", "importance score", "saliency score", "attribution score", "attribution"})
_RULE_ROW = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?")
_NUMBER = re.compile(r"[-−+]?\d{1,9}(?:\.\d{1,20})?")
_LONGEST = 40  # items of a list


@dataclass(frozen=True)
class Item:
    """An item of a list: its word, with a score if it has one, and its number."""

    part: str
    score: str | None
    number: int | None

    @property
    def phrase(self) -> str:
        """The word in quotation marks, with its score in brackets."""
        return f"“{self.part}”" + (f" ({self.score})" if self.score else "")


def heading_of(sentence: str) -> str | None:
    """The heading that a sentence is, without its mark; `None` if it is none."""
    hashed = re.match(r"#{1,6}\s+", sentence)
    if (hashed is None and not sentence.endswith(":")) or "\n" in sentence:
        return None
    return sentence[hashed.end() if hashed else 0 :].rstrip(": ") or None


def item_of(sentence: str, holds: Callable[[str], bool]) -> Item | None:
    """The item that a sentence is, if it is one word or phrase, with a score or without; without quotes only words of the input."""
    match = _ITEM.fullmatch(sentence)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    part = " ".join(match["part"].split())
    if not part or (not match["open"] and not holds(part)):
        return None
    return Item(part, match["score"], int(match["number"]) if match["number"] else None)


def says_order(heading: str) -> bool:
    """Whether a heading says that its items stand in their order."""
    return _ORDER.search(heading) is not None


def sentences_of_list(heading: str, items: Sequence[Item]) -> list[list[str]]:
    """Ways to write a list as sentences, the likeliest first: one sentence for the list, or one for each item of a ranked list."""
    if len(items) > _LONGEST:
        return []
    ordered = _ORDER.search(heading)
    ranked = _RANKED.fullmatch(_COPULA.sub("", heading[: ordered.start()] if ordered else heading).strip())
    if ordered is not None or (ranked is not None and items[0].number is not None):
        numbers = [item.number for item in items]
        counted = all(number is None for number in numbers) or numbers == list(range(1, len(items) + 1))
        if ranked is None or not counted or len(items) > len(_PLACES):
            return []
        top = "most important" if ranked["top"].lower() == "top" else ranked["top"].lower()
        return [
            [
                f"The {_PLACES[k]}{top} {ranked['noun'].lower()}{ranked['rest'].rstrip()} is {item.phrase}."
                for k, item in enumerate(items)
            ]
        ]
    listed = " and ".join(filter(None, (", ".join(item.phrase for item in items[:-1]), items[-1].phrase)))
    if _COPULA.search(heading):
        return [[f"{heading} {listed}."]]
    verb = "are" if len(items) > 1 else "is"
    return [[f"{heading} {verb} {listed}."], [f"{heading}: {listed}."]]


def sentences_of_table(sentence: str, holds: Callable[[str], bool]) -> list[str]:
    """A table with a column of words and a column of scores as sentences, one for each row; empty if it is any other table."""
    rows = [line.strip() for line in sentence.splitlines()]
    if len(rows) < 2 or not all(row.startswith("|") and row.endswith("|") for row in rows):
        return []
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not _RULE_ROW.fullmatch(row)]
    header = [cell.casefold() for cell in cells[0]]
    if len(header) != 2 or header[0] not in _WORD_COLUMN or header[1] not in _SCORE_COLUMN:
        return []
    made: list[str] = []
    for row in cells[1:]:
        word = row[0].strip("\"'“”‘’`*")
        if len(row) != 2 or not _NUMBER.fullmatch(row[1]) or not holds(word):
            return []
        made.append(f"“{word}” has a score of {row[1].lstrip('+')}.")
    return made
