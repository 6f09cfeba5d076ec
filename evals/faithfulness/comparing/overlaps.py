"""Which parts of a map stand out, and how alike several maps are, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.saliency import Floats, Saliency

    Flags = NDArray[np.bool_]

_TIED = 1e-9
_FLAT = 1e-12  # scores that differ by less than this share of the largest magnitude are equal: rounding alone does that
FAINT = 0.1  # of the largest magnitude of a map: a part with less says nothing clear for or against the label


def is_flat(saliency: Saliency) -> bool:
    """Whether all scores of a map are equal."""
    scores = saliency.scores
    return not scores.size or bool(np.ptp(scores) <= _FLAT * np.abs(scores).max())


def weights(saliency: Saliency) -> Floats:
    """What makes parts important: scores above 0, or magnitudes where no score is above 0 or the map has no signs."""
    scores = saliency.scores
    return np.maximum(scores, 0.0) if saliency.signed and scores.max() > 0 else np.abs(scores)


def top(weight: Floats, k: int) -> Flags:
    """Which parts have the k highest weights above 0; those that tie for the last place are among them."""
    last = np.sort(weight)[::-1][min(k, len(weight)) - 1]
    found: Flags = (weight > 0) & (weight >= last * (1 - _TIED))
    return found


def directions_of_words(saliency: Saliency, k: int) -> NDArray[np.int8]:
    """(P,) 1 for the k words that speak most for the label, -1 for those against it; 0 for the rest, and for what is faint."""
    scores = saliency.scores
    clear = np.abs(scores) >= FAINT * np.abs(scores).max()
    speaks_for, against = top(np.maximum(scores, 0.0), k), top(np.maximum(-scores, 0.0), k)
    found: NDArray[np.int8] = (np.sign(scores) * (clear & (speaks_for | against))).astype(np.int8)
    return found


def rank_correlations(scores: Floats) -> Floats:
    """(M, M) Spearman's rank correlations of M maps; NaN where a map is flat."""
    from scipy.stats import rankdata

    ranks = rankdata(scores, axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(axis=1))
    products = np.outer(norms, norms)
    found: Floats = np.where(products > 0, ranks @ ranks.T / np.where(products > 0, products, 1.0), np.nan)
    return found


def shares_in_common(named: Flags, counts: Flags) -> Floats:
    """(M, M) Jaccard indices of the parts that M methods name; NaN where a method does not count, or neither names a part."""
    both = (named[:, None] & named[None]).sum(axis=2)
    either = (named[:, None] | named[None]).sum(axis=2)
    return np.where(counts[:, None] & counts[None] & (either > 0), both / np.maximum(either, 1), np.nan)


def shares_of_one_sign(signs: Floats, named: Flags, counts: Flags) -> Floats:
    """(M, M) shares of the parts, named by either of two methods, to which both give the same sign; NaN as above."""
    either = named[:, None] | named[None]
    same = ((signs[:, None] == signs[None]) & either).sum(axis=2)
    size = either.sum(axis=2)
    return np.where(counts[:, None] & counts[None] & (size > 0), same / np.maximum(size, 1), np.nan)
