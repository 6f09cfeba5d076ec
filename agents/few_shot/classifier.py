"""One form for all few-shot classifiers: a linear part, and for Tip-Adapter a part that compares with stored images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot.shots import unit
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 4096  # images compared with the stored ones at a time: with 16 shots of 1,000 classes, half a gigabyte of cosines


def _none() -> NDArray[np.float64]:
    return np.empty((0, 0))


@dataclass(frozen=True, eq=False)
class FewShotClassifier:
    """Scores of K classes from an embedding x of length 1: W x + b + α · Σ exp(-β (1 - x·key)) over each class's keys.

    Attributes:
        weights: K×D.
        bias: K.
        keys: m×D stored images of length 1; none for a linear classifier.
        key_labels: m class indices.
        alpha: α, the weight of the stored images.
        beta: β, how sharply near images count more than far ones.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    keys: NDArray[np.float64] = field(default_factory=_none)
    key_labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    alpha: float = 0.0
    beta: float = 0.0

    def scores(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """N×K scores of N×D image embeddings of any length.

        Raises:
            UsageError: the embeddings have another width, or one of them is zero or not finite.
        """
        wide = np.asarray(embeddings, dtype=np.float64)
        if wide.ndim != 2 or wide.shape[1] != self.weights.shape[1]:
            raise UsageError(f"the classifier takes embeddings N×{self.weights.shape[1]}, not of shape {wide.shape}")
        rows = unit(wide, "image")
        found: NDArray[np.float64] = rows @ self.weights.T + self.bias
        if len(self.keys):
            ownership = np.eye(len(self.weights))[self.key_labels]
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                found[start : start + BATCH] += self.alpha * np.exp(-self.beta * (1 - part @ self.keys.T)) @ ownership
        return found

    def predict(self, embeddings: NDArray[np.floating]) -> NDArray[np.int64]:
        """N class indices; of equal scores the lower index wins."""
        best: NDArray[np.int64] = self.scores(embeddings).argmax(axis=1)
        return best


def of_texts(
    rows: NDArray[np.floating],  # noqa: ARG001  # every method is called with images and labels
    labels: NDArray[np.integer],  # noqa: ARG001
    texts: NDArray[np.floating],
) -> FewShotClassifier:
    """The classifier by the nearest of K×D text vectors alone."""
    vectors = unit(texts, "text")
    return FewShotClassifier(vectors, np.zeros(len(vectors)))
