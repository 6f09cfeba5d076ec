"""Folds of labelled images for cross-validation, with each class spread over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALWAYS = -1
"""The fold of an image that is never held out, because it is the only image of its class."""


def stratified_folds(
    labels: NDArray[np.integer], folds: int = 5, *, rows: NDArray[np.floating] | None = None, seed: int = 0
) -> NDArray[np.int64]:
    """Assign each image to a fold, so that a class's images lie in different folds as far as possible.

    There are never more folds than the largest class has images: then every fold holds out one image of each class where all
    have the same number (leave one shot out), and training sets stay balanced. The only image of a class is never held out,
    because without it nothing could be learned about its class.

    Args:
        labels: n class indices.
        folds: the most folds.
        rows: n×D embeddings; images with the same embedding come into one fold, so that a copy can't give away the answer.
        seed: seed of the draw.

    Returns:
        n numbers of folds from 0 on; -1 for images that are never held out. All are -1 where nothing can be held out.

    Raises:
        UsageError: `folds` is less than 2.
    """
    if folds < 2:
        raise UsageError(f"cross-validation needs at least 2 folds, not {folds}")
    truth = np.asarray(labels)
    rng = np.random.default_rng(seed)
    group, owner = without_copies(truth, rows)
    sizes = np.bincount(owner)
    count = min(folds, int(sizes.max(initial=0)))
    place = np.full(len(owner), ALWAYS, dtype=np.int64)
    if count >= 2:
        # Each class starts at a random fold, so that classes with fewer images than folds do not all leave the last ones empty.
        shuffled = rng.permutation(len(owner))
        order = shuffled[np.argsort(owner[shuffled], kind="stable")]
        starts = np.cumsum(sizes) - sizes
        rank = np.arange(len(order)) - starts[owner[order]]
        shift = rng.integers(0, count, size=len(sizes))
        place[order] = (rank + shift[owner[order]]) % count
        place[sizes[owner] < 2] = ALWAYS
    return place[group]


def without_copies(
    labels: NDArray[np.integer], rows: NDArray[np.floating] | None
) -> tuple[NDArray[np.int64], NDArray[np.integer]]:
    """The different images: which of them each of n images is, and the class of each different image.

    Args:
        labels: n class indices.
        rows: n×D embeddings; images with the same one are copies. Without them all images are different.
    """
    truth = np.asarray(labels)
    if rows is None:
        return np.arange(len(truth)), truth
    copies = np.unique(np.ascontiguousarray(rows), axis=0, return_inverse=True)[1].reshape(-1)
    _, first, group = np.unique(copies, return_index=True, return_inverse=True)
    return group.reshape(-1).astype(np.int64), truth[first]
