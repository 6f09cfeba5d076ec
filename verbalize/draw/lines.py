"""Lines of words: where they break, and in which order the words of a line stand, in scripts of both directions."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from verbalize.draw.fonts import runs_right_to_left, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Word = tuple[str, int | None]
    Placed = tuple[int, str, int | None]


def laid_out(pieces: Sequence[Word], width: int, size: int) -> Iterator[list[tuple[int, str, int | None]]]:
    """Rows of (left, text, word). They break between words, at line ends of the text, and inside words wider than a row."""
    row: list[tuple[int, str, int | None]] = []
    left = 0
    for text, index in pieces:
        for number, piece in enumerate(text.replace("\r\n", "\n").replace("\t", "    ").split("\n")):
            if number:
                yield row
                row, left = [], 0
            for chunk in _chunks(piece, width, size):
                wide = width_of(chunk, size)
                if left and left + wide > width and chunk.strip():
                    yield row
                    row, left = [], 0
                if not left and not chunk.strip():
                    continue  # no line begins with a blank
                row.append((left, chunk, index))
                left += wide
    if row:
        yield row


def _chunks(text: str, width: int, size: int) -> Iterator[str]:
    place = 0
    while place < len(text):
        # Characters without a width, such as accents, may be many; a row holds no more of any kind than it has pixels.
        part = text[place : place + width]
        low, high = 1, len(part)
        if width_of(part, size) <= width:
            low = high
        while low < high:  # the most characters that fit
            middle = (low + high + 1) // 2
            low, high = (middle, high) if width_of(part[:middle], size) <= width else (low, middle - 1)
        yield part[:low]
        place += low


def in_order(row: Sequence[Placed], width: int, size: int, *, backwards: bool) -> Iterator[tuple[int, str, int | None, bool]]:
    """The words of a row as (left, text, word, right to left), in the order in which they stand from left to right.

    It is the order of the Unicode bidirectional algorithm (Unicode Standard Annex 9) with whole words as its units. Words
    without letters (numbers, punctuation, blanks) between words of one direction take that direction, others that of the text.

    Args:
        row: (left, text, word) in the order of reading, as if all were written from left to right.
        width: the width of the row in pixels.
        size: the size of the font in pixels.
        backwards: whether the text is written from right to left, and the row begins at its right end.
    """
    ways = _ways([text for _, text, _ in row], backwards)
    if not any(ways):
        yield from ((left, text, index, False) for left, text, index in row)
        return
    widths = [width_of(text, size) for _, text, _ in row]
    runs = [list(run) for _, run in groupby(range(len(row)), key=lambda place: ways[place])]
    runs = [run[::-1] if ways[run[0]] else run for run in (runs[::-1] if backwards else runs)]
    places = [place for run in runs for place in run]
    left = width - sum(widths) if backwards else 0
    for place in places:
        yield left, row[place][1], row[place][2], ways[place]
        left += widths[place]


def _ways(texts: Sequence[str], backwards: bool) -> list[bool]:
    """For each word of a row, whether it runs from right to left."""
    known = [runs_right_to_left(text) for text in texts]
    after: list[bool] = [backwards] * len(texts)
    following = backwards
    for place in range(len(texts) - 1, -1, -1):
        after[place] = following
        way = known[place]
        following = following if way is None else way
    ways: list[bool] = []
    before = backwards
    for place, way in enumerate(known):
        if way is not None:
            before = way
        ways.append(before if way is not None or before == after[place] else backwards)
    return ways
