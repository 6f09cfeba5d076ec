"""Maps as vectors of one length, so that they can be compared: pixels at a reduced size, or words by their letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, Query, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats, Saliency

SIDE = 16  # pixels; coarser than most objects, so that an object that is moved a little stays where it was
WORDS = 2_000  # kinds of words that count; rarer ones hold little evidence and make distances noisy
_OWN = "the label of each input"


@dataclass(frozen=True)
class MapVectors:
    """Maps as vectors.

    Args:
        vectors: (N, D) each of length 1, or 0 for a map of zeros.
        shares: (N, ...) the maps at full size, each divided by its sum of magnitudes.
        words: the D' words of the second axis of `shares`; none for pixels.
    """

    vectors: Floats
    shares: Floats
    words: tuple[str, ...] = ()


def vectors_of(maps: Sequence[Saliency], side: int | None, words: int | None) -> MapVectors:
    """Bring maps to vectors of one length.

    Raises:
        UsageError: the maps are of both kinds, unsigned, answer contrastive and pointwise questions, or a setting has no effect
            on them.
    """
    if not maps:
        raise UsageError("there are no maps; give at least one")
    unsigned = next((one for one in maps if not one.signed), None)
    if unsigned is not None:
        raise UsageError(
            f"the map {unsigned.saliency_id!r} is unsigned: it can't show what speaks against a label; give signed attributions"
        )
    if len({one.query.contrastive for one in maps}) > 1:
        raise UsageError("some maps answer a contrastive question and some do not; cluster each kind by itself")
    pixels = [one for one in maps if isinstance(one, PixelSaliency)]
    if pixels and len(pixels) < len(maps):
        raise UsageError("some maps are over words and some over pixels; give maps of one kind")
    for name, value, has in (("side", side, bool(pixels)), ("words", words, not pixels)):
        if value is not None and not has:
            raise UsageError(f"{name} has no effect on maps over {'pixels' if pixels else 'words'}; leave it out")
        if value is not None and value < 1:
            raise UsageError(f"{name} must be 1 or more, not {value!r}")
    if pixels:
        return _of_pixels(pixels, SIDE if side is None else side)
    return _of_words([one for one in maps if isinstance(one, TokenSaliency)], WORDS if words is None else words)


def _of_pixels(maps: Sequence[PixelSaliency], side: int) -> MapVectors:
    import cv2

    height, width = maps[0].shape
    small = (min(side, width), min(side, height))
    shares = np.empty((len(maps), height, width))
    reduced = np.empty((len(maps), small[0] * small[1]))
    for index, one in enumerate(maps):
        if not one.scores.size:
            raise UsageError(f"the map {one.saliency_id!r} has no pixels")
        shrink = one.shape[0] > height or one.shape[1] > width
        fitted = one.scores
        if one.shape != (height, width):
            fitted = cv2.resize(fitted, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)  # type: ignore[assignment]
        shares[index] = _share(fitted)
        reduced[index] = np.ravel(cv2.resize(shares[index], small, interpolation=cv2.INTER_AREA))
    return MapVectors(_unit(reduced), shares)


def _of_words(maps: Sequence[TokenSaliency], most: int) -> MapVectors:
    shares = [_share(one.scores) for one in maps]
    held: dict[str, float] = {}
    for one, scores in zip(maps, shares, strict=True):
        for word, score in zip(one.tokens, np.abs(scores).tolist(), strict=True):
            held[word.lower()] = held.get(word.lower(), 0.0) + score
    kept = sorted(held, key=lambda word: (-held[word], word))[:most]
    places = {word: place for place, word in enumerate(kept)}
    table = np.zeros((len(maps), len(kept)))
    for row, one, scores in zip(table, maps, shares, strict=True):
        known = [(places[word.lower()], index) for index, word in enumerate(one.tokens) if word.lower() in places]
        for place, index in known:
            row[place] += scores[index]
    return MapVectors(_unit(table), table, tuple(kept))


def _share(scores: Floats) -> Floats:
    largest = float(np.abs(scores).max(initial=0.0))
    if largest == 0.0:
        return scores
    scaled = scores / largest  # so that the sum of huge scores stays finite
    found: Floats = scaled / np.abs(scaled).sum()
    return found


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Floats = vectors / np.where(lengths > 0, lengths, 1.0)
    return found


def common_query(maps: Sequence[Saliency]) -> Query:
    """The question that a mean of maps answers: theirs, or what speaks for the label of each input where these differ."""
    first = maps[0].query
    if all(one.query == first for one in maps):
        return first
    return Query(_OWN, ("other labels",) if first.contrastive else ())
