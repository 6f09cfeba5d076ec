"""Small array helpers that encoders and classifiers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows scaled to length 1, computed in float64 and returned as float32. A row of zeros stays zero."""
    wide = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def top_indices(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The columns of the k largest values of each row, in descending order; of equal values the lower column comes first.

    The result equals the first k columns of a stable descending sort, but whole rows are not sorted.

    Args:
        scores: (N, K).
        k: how many columns; K where it is larger.
    """
    columns = scores.shape[1]
    k = min(k, columns)
    if k == columns:
        return np.argsort(-scores, axis=1, kind="stable").astype(np.int64)
    threshold = np.partition(scores, columns - k, axis=1)[:, columns - k, None]
    chosen = scores >= threshold
    # where several columns equal the k-th value, too many are chosen; these rows are sorted whole
    tied = np.flatnonzero(np.count_nonzero(chosen, axis=1) > k)
    if tied.size:
        first = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
        chosen[tied] = False
        chosen[tied[:, None], first] = True
    part = (np.flatnonzero(chosen) % columns).reshape(-1, k)
    order = np.argsort(-np.take_along_axis(scores, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1).astype(np.int64)
