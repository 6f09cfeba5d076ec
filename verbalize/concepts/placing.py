"""Concepts as regions of a picture, each with its importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.concepts.bank import Floats

_HALF = 0.5  # of the most that the image holds of a concept: from there on a pixel shows it
_FILLED = 0.59  # of the picture at most, so that two fifths score 0, which keeps the floor of an unsigned map at 0


def placed(amounts: Floats, importance: Floats) -> tuple[Floats, NDArray[np.bool_], tuple[int, ...]]:
    """Give each concept its region, and spread its importance over it.

    Args:
        amounts: (K, H, W) how much of each concept each pixel holds.
        importance: (K,) of each concept.

    Returns:
        (H, W) scores, (R, H, W) regions that don't overlap, and the R concepts that have one. Other pixels score 0.
    """
    held = np.abs(amounts)
    most = held.max(axis=(1, 2), keepdims=True)
    winner = held.argmax(axis=0)
    relative = np.take_along_axis(held / np.where(most > 0, most, 1.0), winner[None], axis=0)[0]
    least = _HALF
    room = int(_FILLED * relative.size)
    if np.count_nonzero(relative >= least) > room:
        least = max(least, float(np.partition(relative, -room, axis=None)[-room]) if room else np.inf)
    shown = relative >= least
    if np.count_nonzero(shown) > room:  # many pixels are equal: the first of them in reading order stay
        order = np.argsort(-relative, axis=None, kind="stable")[:room]
        shown = np.zeros(relative.size, dtype=bool)
        shown[order] = True
        shown = shown.reshape(relative.shape)
    scores = np.zeros(winner.shape)
    masks, kept = [], []
    for concept in range(len(amounts)):
        mask = shown & (winner == concept) & (held[concept] > 0)
        if mask.any():
            share = held[concept][mask]
            scores[mask] = importance[concept] * share / share.sum()
            masks.append(mask)
            kept.append(concept)
    return scores, np.array(masks, dtype=bool).reshape(-1, *winner.shape), tuple(kept)
