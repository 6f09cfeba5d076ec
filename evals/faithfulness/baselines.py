"""Maps that a faithful map must beat: a random one, and itself turned around."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from verbalize.saliency import Floats

Map = TypeVar("Map", TokenSaliency, PixelSaliency, TokenSaliency | PixelSaliency)


def random_map(saliency: Map, *, seed: int = 0) -> Map:
    """The map with its scores shuffled: the same input, query and values, each value at a random place."""
    scores = saliency.scores.reshape(-1)
    shuffled = np.random.default_rng(seed).permutation(scores)
    return _with_scores(saliency, shuffled.reshape(saliency.scores.shape), "random")


def inverted_map(saliency: Map) -> Map:
    """The map turned around: its highest score at the place of its lowest. Signed scores change their sign."""
    scores = saliency.scores
    turned = -scores if saliency.signed or not scores.size else scores.max() + scores.min() - scores
    return _with_scores(saliency, turned, "inverted")


def _with_scores(saliency: Map, scores: Floats, method: str) -> Map:
    if isinstance(saliency, PixelSaliency):
        return replace(saliency, scores=scores, method=method)
    return TokenSaliency(
        saliency.tokens,
        scores,
        saliency.query,
        saliency.text,
        saliency.offsets,
        saliency.prediction,
        saliency.special,
        saliency.id,
        method,
        saliency.signed,
    )
