"""Finds the quotations in a text, in quotation marks of any style."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The marks that may close a quotation, by the mark that opened it. Traditions differ:
# German „x“ and »x«, French « x », Swedish ”x”, TeX ``x''.
_CLOSERS = {
    '"': '"”', "“": "”“\"", "”": "”", "„": "“”\"„", "‟": "”‟\"", "»": "«»", "«": "»", "›": "‹›", "‹": "›", "‘": "’'‘", "’": "’",
    "'": "'’", "`": "`'", "「": "」", "『": "』", "``": "''", "''": "''", "**": "**", "*": "*", "_": "_", "‚": "‘’",
}  # fmt: skip
_OPENER = re.compile(r"``|''|\*\*|[\"“”„‟»«›‹‘’'`「『‚*_]")
_APOSTROPHES = frozenset("'’‘`")
_DECADE = re.compile(r"\d0s\b|tis\b|twas\b|cause\b|em\b|til\b")  # '90s, 'tis: an apostrophe, not a quotation
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation: the characters `start` to `stop` of a text, with the marks; `inner` is the text between the marks."""

    start: int
    stop: int
    inner: str
    mark: str


def find_quotations(text: str, known: Callable[[str], bool] = lambda _: False) -> tuple[Quotation, ...]:
    """The quotations of a text from left to right; none lies inside another.

    An apostrophe inside or after a word does not open a quotation, and one between letters does not close it. If a possessive
    makes the end ambiguous ('the actors' lines'), the end for which the quoted text is `known` is taken. The time grows
    with the length of the text only.
    """
    found: list[Quotation] = []
    position = 0
    closings: dict[str, _Closings] = {}
    breaks = [match.start() for match in _BLANK_LINE.finditer(text)]
    while True:
        match = _OPENER.search(text, position)
        if match is None:
            return tuple(found)
        mark = match.group()
        if not _opens(text, match.start(), mark):
            position = match.end()
            continue
        if mark not in closings:
            closings[mark] = _Closings(text, mark)
        paragraph = bisect_left(breaks, match.start())
        limit = breaks[paragraph] if paragraph < len(breaks) else len(text)
        quotation = _close(text, match.start(), mark, closings[mark].after(match.end() + 1, limit), known)
        if quotation is None:
            position = match.end()
            continue
        found.append(quotation)
        position = quotation.stop


class _Closings:
    """The positions at which a quotation with a certain opening mark may end; they are asked for in ascending order."""

    def __init__(self, text: str, mark: str) -> None:
        pattern = re.escape(_CLOSERS[mark]) if len(mark) == 2 else f"[{_CLOSERS[mark]}]"
        apostrophe = mark in _APOSTROPHES or mark in ("‚", "*", "_")
        self.starts = [match.start() for match in re.finditer(pattern, text) if not apostrophe or _ends(text, match.start())]
        self.next = 0

    def after(self, position: int, limit: int) -> list[int]:
        """The next few positions before `limit`, which is the next blank line: a quotation does not extend over one."""
        while self.next < len(self.starts) and self.starts[self.next] < position:
            self.next += 1
        return [start for start in self.starts[self.next : self.next + 3] if start < limit]


def _opens(text: str, start: int, mark: str) -> bool:
    before = text[start - 1] if start else " "
    following = text[start + len(mark) : start + len(mark) + 1]
    if not following:
        return False
    if mark in _APOSTROPHES or mark in ("''", "``", "**", "*", "_"):
        return not (before.isalnum() or following.isspace())
    return not (mark == '"' and before.isalnum())  # 5" is inches


def _ends(text: str, start: int) -> bool:
    return not text[start - 1 : start].isspace() and not text[start + 1 : start + 2].isalnum()


def _close(text: str, start: int, mark: str, candidates: Sequence[int], known: Callable[[str], bool]) -> Quotation | None:
    first = start + len(mark)
    if not candidates:
        return None
    chosen = candidates[0]
    doubtful = mark in _APOSTROPHES and text[chosen - 1] in "sS" and text[chosen + 1 : chosen + 2] == " "
    if doubtful and not known(text[first:chosen]):
        chosen = next((end for end in candidates[1:] if known(text[first:end])), chosen)
    inner = text[first:chosen]
    if mark in _APOSTROPHES and _DECADE.match(text, first) and not known(inner):
        return None
    if not inner.strip():
        return None
    return Quotation(start, chosen + (2 if len(mark) == 2 else 1), inner, mark)
