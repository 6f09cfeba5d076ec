"""Small array helpers that encoders and classifiers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bring rows to length 1 in float64, return float32; a zero row stays zero."""
    wide = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def top_indices(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The columns of the k greatest values of each row, greatest first; ties go to the lower column.

    Exactly the first k of a stable descending sort, without sorting whole rows.
    """
    columns = scores.shape[1]
    k = min(k, columns)
    if k == columns:
        return np.argsort(-scores, axis=1, kind="stable").astype(np.int64)
    threshold = np.partition(scores, columns - k, axis=1)[:, columns - k, None]
    chosen = scores >= threshold
    # Where columns tie with the k-th value too many are chosen; those rows are sorted whole.
    tied = np.flatnonzero(np.count_nonzero(chosen, axis=1) > k)
    if tied.size:
        first = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
        chosen[tied] = False
        chosen[tied[:, None], first] = True
    part = (np.flatnonzero(chosen) % columns).reshape(-1, k)
    order = np.argsort(-np.take_along_axis(scores, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1).astype(np.int64)
