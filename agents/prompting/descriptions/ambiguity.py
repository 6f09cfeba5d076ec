"""Which classes are confused: the pairs of classes that are both among the candidates of some image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import top_indices
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK_FLOATS = 4_000_000
"""Similarities held at a time (16 MB)."""


def count_ambiguous(similarities: NDArray[np.floating], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs of classes that are both among the k classes most similar to some image, and count those images.

    Args:
        similarities: N images × K classes.
        k: how many candidate classes each image has; at most K are used.

    Returns:
        (pairs P×2 with i < j in ascending order, counts P).

    Raises:
        UsageError: `similarities` is not an N×K array of finite numbers, or k is below 1.
    """
    similarities = np.asarray(similarities)
    if similarities.ndim != 2 or not np.isfinite(similarities).all():
        raise UsageError(f"similarities must be finite numbers, N images × K classes, not shape {similarities.shape}")
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    classes = similarities.shape[1]
    k = min(k, classes)
    left, right = np.triu_indices(k, 1)
    keys = np.empty(0, dtype=np.int64)
    counts = np.empty(0, dtype=np.int64)
    step = max(1, CHUNK_FLOATS // max(classes, len(left), 1))
    for start in range(0, len(similarities), step):
        candidates = np.sort(top_indices(similarities[start : start + step], k), axis=1)
        part, number = np.unique(candidates[:, left] * classes + candidates[:, right], return_counts=True)
        keys, where = np.unique(np.concatenate([keys, part]), return_inverse=True)
        counts = np.bincount(where, weights=np.concatenate([counts, number]), minlength=len(keys)).astype(np.int64)
    return np.stack([keys // classes, keys % classes], axis=1), counts


def find_ambiguous(similarities: NDArray[np.floating], k: int) -> list[tuple[int, int]]:
    """Find the pairs of classes (i, j), i < j, that are both among the k classes most similar to some image, sorted.

    No image needs differential descriptions of any other pair (Esfandiarpoor & Bach 2024, §3.2).

    Raises:
        UsageError: `similarities` is not an N×K array of finite numbers, or k is below 1.
    """
    pairs, _ = count_ambiguous(similarities, k)
    return [(int(first), int(second)) for first, second in pairs]
