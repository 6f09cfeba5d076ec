"""Concepts as regions of a picture, each with its importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.concepts.bank import Floats

_HALF = 0.5  # of the most that the image holds of a concept: from there on a pixel shows it


def placed(amounts: Floats, importance: Floats) -> tuple[Floats, NDArray[np.bool_], tuple[int, ...]]:
    """Give each concept that matters its region, and spread its importance over it.

    A pixel belongs to the concept of which it holds most, as a share of the most that the image holds of it. A concept that
    would have no pixel, because others lie wherever it does, gets one: the pixel that holds most of it, among those that are
    not the last ones of another concept. So no concept that matters is missing, and the sum of the magnitudes of all scores is
    that of the importance.

    Args:
        amounts: (K, H, W) how much of each concept each pixel holds.
        importance: (K,) of each concept.

    Returns:
        (H, W) scores, (R, H, W) regions that don't overlap, and the R concepts that have one: those that some pixel holds, and
        those whose importance is not 0. Other pixels score 0.

    Raises:
        UsageError: there are more concepts than pixels.
    """
    held = np.abs(amounts)
    most = held.max(axis=(1, 2), keepdims=True)
    relative = (held / np.where(most > 0, most, 1.0)).reshape(len(held), -1)
    owner = np.where(relative.max(axis=0) >= _HALF, relative.argmax(axis=0), -1)
    kept = tuple(index for index, value in enumerate(importance) if value or most[index] > 0)
    if len(kept) > owner.size:
        raise UsageError(f"{len(kept)} concepts can't be shown in a picture of {owner.size} pixels; extract fewer")
    for concept in kept:
        if not (owner == concept).any():
            counts = np.bincount(owner[owner >= 0], minlength=len(held))
            free = (owner < 0) | (counts[owner] > 1)
            owner[np.where(free, relative[concept], -1.0).argmax()] = concept
    scores = np.zeros(owner.shape)
    for concept in kept:
        share = np.where(owner == concept, relative[concept], 0.0)
        if not share.any():  # an importance that lies in no place, as that of a class token
            share = (owner == concept).astype(np.float64)
        scores += importance[concept] * share / share.sum()
    shape = amounts.shape[1:]
    masks = np.array([owner == concept for concept in kept], dtype=bool).reshape(-1, *shape)
    return scores.reshape(shape), masks, kept
