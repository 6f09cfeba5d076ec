"""The labelled images that a few-shot classifier is made of, checked, beside the vectors of the classes' texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Shots:
    """Labelled images and class texts as vectors of length 1.

    Attributes:
        rows: n×D float64, the images.
        labels: n class indices.
        texts: K×D float64, one vector per class.
    """

    rows: NDArray[np.float64]
    labels: NDArray[np.int64]
    texts: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """K numbers: how many images each class has."""
        return np.bincount(self.labels, minlength=len(self.texts)).astype(np.int64)

    def sums(self) -> NDArray[np.float64]:
        """K×D: the sum of each class's images."""
        total = np.zeros_like(self.texts)
        np.add.at(total, self.labels, self.rows)
        return total

    def of(self, chosen: NDArray[np.bool_]) -> Shots:
        """These images of them, with the same texts."""
        return Shots(self.rows[chosen], self.labels[chosen], self.texts)


def checked_shots(rows: NDArray[np.floating], labels: NDArray[np.integer], texts: NDArray[np.floating]) -> Shots:
    """Scale all vectors to length 1 and check that they fit together.

    Args:
        rows: n×D image embeddings of any length; at least one.
        labels: n class indices.
        texts: K×D text vectors, for at least two classes.

    Raises:
        UsageError: the shapes do not fit, a label is no class, or a vector is not finite or has length 0.
    """
    wide, text = np.asarray(rows, dtype=np.float64), np.asarray(texts, dtype=np.float64)
    truth = np.asarray(labels)
    if text.ndim != 2 or len(text) < 2:
        raise UsageError(f"text vectors must be K×D with at least two classes, not of shape {text.shape}")
    if wide.ndim != 2 or not len(wide) or wide.shape[1] != text.shape[1]:
        raise UsageError(
            f"image embeddings must be n×{text.shape[1]} as the text vectors are, with at least one image, not {wide.shape}"
        )
    if truth.shape != (len(wide),) or not np.issubdtype(truth.dtype, np.integer):
        raise UsageError(f"give one class index for each of the {len(wide)} images")
    if truth.min() < 0 or truth.max() >= len(text):
        raise UsageError(f"class indices must lie between 0 and {len(text) - 1}")
    return Shots(unit(wide, "image"), truth.astype(np.int64), unit(text, "text"))


def unit(rows: NDArray[np.floating], what: str) -> NDArray[np.float64]:
    """Rows at length 1 in float64.

    Raises:
        UsageError: a row is not finite, or has length 0, so that it has no direction.
    """
    wide = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    bad = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    if bad.size:
        raise UsageError(f"the vector of {what} {bad[0]} is {'zero' if lengths[bad[0]] == 0 else 'not finite'}; leave it out")
    found: NDArray[np.float64] = wide / lengths[:, None]
    return found
