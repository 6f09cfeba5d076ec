"""Parts of inputs that are hidden one at a time: tokens, words, regions, and masks that come with a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.parts import find_regions
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.saliency import Floats, Saliency

KINDS = ("token", "word", "region", "mask")


def part_masks(saliency: Saliency, what: str, alone: bool) -> NDArray[np.bool_]:
    """(M, P) what stays where one part after the other is hidden, or where it stays alone.

    Raises:
        UsageError: the map has no such parts.
    """
    parts = _members(saliency, what)
    return parts if alone else ~parts


def named_parts_of(saliency: Saliency, what: str) -> tuple[str, ...]:
    """The names of the parts of a map, in the order of `part_masks`."""
    if isinstance(saliency, TokenSaliency):
        return tuple(saliency.text_of(np.flatnonzero(part).tolist()) for part in _members(saliency, what))
    if what == "mask":
        return tuple(saliency.mask_names or ())
    return tuple(region.name or f"region {place + 1}" for place, region in enumerate(find_regions(saliency)))


def unit_places(saliency: Saliency, cells: int) -> NDArray[np.intp]:
    """(P,) the unit of each part: a word of a text, or a cell of a grid of `cells` by `cells` over an image.

    An image with fewer rows or columns than that has one per row or column.
    """
    if not isinstance(saliency, PixelSaliency):
        return np.arange(len(saliency))
    height, width = saliency.shape
    rows = np.arange(height) * min(cells, height) // height
    columns = np.arange(width) * min(cells, width) // width
    place: NDArray[np.intp] = (rows[:, None] * min(cells, width) + columns[None, :]).reshape(-1)
    return place


def unit_masks(saliency: Saliency, cells: int) -> NDArray[np.bool_]:
    """(M, P) what stays where one unit after the other is hidden."""
    places = unit_places(saliency, cells)
    kept: NDArray[np.bool_] = places[None, :] != np.arange(places.max(initial=-1) + 1)[:, None]
    return kept


def unit_sums(saliency: Saliency, cells: int) -> Floats:
    """(M,) the sum of the scores in each unit."""
    return np.bincount(unit_places(saliency, cells), weights=saliency.scores.reshape(-1)).astype(np.float64)


def _members(saliency: Saliency, what: str) -> NDArray[np.bool_]:
    if what not in KINDS:
        raise UsageError(f'what is hidden is "top", "bottom", {", ".join(map(repr, KINDS))}, not {what!r}')
    if isinstance(saliency, TokenSaliency):
        if what not in ("token", "word"):
            raise UsageError(f'a map over words has no {what}s; hide "top", "bottom", "token" or "word"')
        return np.eye(len(saliency), dtype=bool) if what == "token" else _words(saliency)
    if what == "mask" and saliency.masks is not None:
        return saliency.masks.reshape(len(saliency.masks), -1)
    if what != "region":
        known = '"top", "bottom", "region"' + (' or "mask"' if saliency.masks is not None else "")
        raise UsageError(f"this map over pixels has no {what}s; hide {known}")
    found = np.zeros((len(regions := find_regions(saliency)), saliency.scores.size), dtype=bool)
    for place, region in enumerate(regions):
        found[place] = region.mask.reshape(-1)
    return found


def _words(saliency: TokenSaliency) -> NDArray[np.bool_]:
    if saliency.text is None or saliency.offsets is None:
        return np.eye(len(saliency), dtype=bool)
    starts = [index == 0 or saliency.offsets[index - 1][1] < place[0] for index, place in enumerate(saliency.offsets)]
    word = np.cumsum(starts) - 1
    found: NDArray[np.bool_] = word[None, :] == np.arange(word.max(initial=-1) + 1)[:, None]
    return found
