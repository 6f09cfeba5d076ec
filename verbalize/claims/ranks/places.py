"""Places in the order of the words by their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.evidence import Evidence
    from verbalize.saliency import Floats, Part

AMONG = 3  # "one of the most important" is true of the first three places; readers expect no more than a handful


def outside(evidence: Evidence, *named: Part | None) -> NDArray[np.intp]:
    """Indices of the words that are in none of the named parts."""
    free = np.ones(len(evidence), dtype=bool)
    for part in named:
        free[list(part or ())] = False
    return np.flatnonzero(free)


def higher(evidence: Evidence, scores: Floats, score: float) -> NDArray[np.bool_]:
    """Which scores are higher than this one, by more than rounding."""
    return (scores > score) & ~evidence.all_tied(scores, score)
