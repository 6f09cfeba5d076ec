"""Texts with a part cut out, with a part alone, or with something in the place of a part."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verbalize.masking.texts import without
from verbalize.scripts import is_unspaced
from verbalize.spacing import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verbalize.masking.effects import Change
    from verbalize.saliency import Part, TokenSaliency

_BETWEEN = re.compile(r"\S+")


def text_and_places(saliency: TokenSaliency) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text of a map and the places of its words. Without a text, the words are set as `verbalize.spacing` sets them."""
    if saliency.text is not None and saliency.offsets is not None:
        return saliency.text, tuple(saliency.offsets)
    return joined(saliency.tokens)


def changed_text(saliency: TokenSaliency, change: Change) -> str:
    """The text after a change; "" if no word is left.

    What stands between two words of the text and is no word of the map, such as a comma without a score, goes with these two:
    it is cut out where both are cut out, and stays beside a part alone only where it stands between two words of the part.
    """
    if change.how == "replaced":
        return _replaced(saliency, change.part, change.replacement or "")
    chosen = np.zeros(len(saliency), dtype=bool)
    chosen[list(change.part)] = True
    kept = chosen if change.how == "alone" else ~chosen
    if not kept.any():
        return ""
    text, words = text_and_places(saliency)
    if kept.all():
        return text
    alone = change.how == "alone"
    places: list[tuple[int, int]] = []
    stays: list[bool] = []
    for place, keep in _with_gaps(text, words, kept, alone=alone):
        places.append(place)
        stays.append(keep)
    return without(text, places, np.array(stays, dtype=bool))


def _with_gaps(
    text: str, words: Sequence[tuple[int, int]], kept: np.ndarray[tuple[int], np.dtype[np.bool_]], *, alone: bool
) -> Iterator[tuple[tuple[int, int], bool]]:
    """The places of the words and of what stands between them, in order, each with whether it stays."""
    edges = [(0, 0), *words, (len(text), len(text))]
    keeps = [not alone, *kept.tolist(), not alone]
    for index, ((_, stop), (start, _)) in enumerate(pairwise(edges)):
        if index:
            yield words[index - 1], keeps[index]
        stays = keeps[index] and keeps[index + 1] if alone else keeps[index] or keeps[index + 1]
        yield from (((found.start(), found.end()), stays) for found in _BETWEEN.finditer(text, stop, max(stop, start)))


def _replaced(saliency: TokenSaliency, part: Part, replacement: str) -> str:
    """The text with the replacement in the place of each run of words of the part, set apart from its neighbours."""
    if saliency.text is None or saliency.offsets is None:  # a text that is set anew sets the replacement as well
        words: list[str] = []
        for index, token in enumerate(saliency.tokens):
            if index not in part:
                words.append(token)
            elif index - 1 not in part:
                words += replacement.split()
        return joined(words)[0]
    text, places = saliency.text, saliency.offsets
    pieces, end = [], 0
    for first, last in _runs(part):
        start, stop = places[first][0], places[last][1]
        pieces.append(text[end:start])
        before, after = "".join(pieces)[-1:], text[stop : stop + 1]
        pieces.append(f"{_gap(before, replacement[:1])}{replacement}{_gap(replacement[-1:], after)}")
        end = stop
    return "".join(pieces) + text[end:]


def _runs(part: Part) -> Iterator[tuple[int, int]]:
    first = None
    for index, following in zip(part, (*part[1:], None), strict=True):
        first = index if first is None else first
        if following != index + 1:
            yield first, index
            first = None


def _gap(before: str, after: str) -> str:
    """A blank between two letters or digits that would run together, as in "couldn't" with "not" in the place of "n't"."""
    together = before.isalnum() and after.isalnum() and not is_unspaced(before) and not is_unspaced(after)
    return " " if together else ""
