"""The floor of an unsigned pixel map: the level that most of the picture has, which is no evidence for any part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.saliency import Floats, PixelSaliency

_LOWEST = 0.01  # quantile that stands for the lowest score; a few damaged pixels don't move it
_USUAL = 0.4  # quantile; an object that fills more than half of the picture keeps the floor below it
_HIGHEST = 0.2  # share of the range, as in the localization of objects by class activation maps (Zhou et al. 2016)

_cache: WeakKeyDictionary[PixelSaliency, Floats] = WeakKeyDictionary()


def floor_of(saliency: PixelSaliency) -> float:
    """The floor of a map: the score from which evidence is counted.

    It is the score that two fifths of the pixels don't exceed, but it lies at most a fifth of the way up from the lowest score
    (the first percentile) to the highest one. Adding a number to all scores adds it to the floor. Signed maps have the floor 0,
    because their zero has a meaning. So have maps on which all scores are equal. A map that says its floor has that one.
    """
    if saliency.floor is not None:
        return saliency.floor
    return 0.0 if saliency.signed else floor_of_scores(saliency.scores)


def floor_of_scores(scores: NDArray[Any]) -> float:
    """The floor of scores that are not negative, as in `floor_of`; 0 if they are all equal."""
    if not scores.size or scores.min() == scores.max():
        return 0.0
    ranks = [int(share * (scores.size - 1)) for share in (_LOWEST, _USUAL)]
    lowest, usual = np.partition(scores, ranks, axis=None)[ranks]
    return float(min(usual, lowest + _HIGHEST * (scores.max() - lowest)))


def above_floor(saliency: PixelSaliency) -> Floats:
    """(H, W) what stands above the floor: 0 where the score is at the floor or below it. A signed map keeps its scores."""
    if saliency.signed:
        return saliency.scores
    if saliency not in _cache:
        evidence = np.maximum(saliency.scores - floor_of(saliency), 0.0)
        evidence.setflags(write=False)
        _cache[saliency] = evidence
    return _cache[saliency]
