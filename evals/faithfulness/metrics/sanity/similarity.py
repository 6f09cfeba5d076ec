"""How alike two maps of one input are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verbalize.saliency import Floats, Saliency


def rank_correlation(one: Saliency, other: Saliency) -> float:
    """Spearman's rank correlation of the scores of two maps, -1..1; NaN where a map is flat.

    Raises:
        ValueError: the maps are of different inputs.
    """
    from scipy.stats import rankdata

    first, second = (rankdata(saliency.scores.reshape(-1)) for saliency in (one, other))
    if first.shape != second.shape:
        raise ValueError("the maps are of different inputs")
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float(first @ second) / length if length > 0 else float("nan")


def rank_correlations(maps: list[Saliency], others: list[Saliency]) -> Floats:
    """(N,) rank correlations of pairs of maps."""
    return np.array([rank_correlation(one, other) for one, other in zip(maps, others, strict=True)], dtype=np.float64)
