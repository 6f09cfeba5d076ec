"""Fitness of thousands of prompt sets at once: a class vector is a mean of prompt vectors, so scores are matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CHUNK_FLOATS = 500_000


@dataclass(frozen=True)
class Fitness:
    """The fitness of C prompt sets on the labelled images, and its parts: C values each."""

    accuracy: NDArray[np.float64]
    entropy: NDArray[np.float64]
    value: NDArray[np.float64]


class Scorer:
    """Scores prompt sets from cosines and Gram matrices, without encoding anything.

    A prompt set is a boolean mask over K classes × M prompts (rows of classes with fewer prompts are padded with False).
    With P the prompts of class k, the class vector is Σ mask · P at length 1, and an image's cosine with it is
    mask · (P x) / √(mask · PPᵀ · mask): two products that do not touch the embeddings again.

    Args:
        images: n×D image embeddings of length 1.
        labels: n class indices.
        prompts: K arrays M_k×D of prompt embeddings of length 1.
        scale: logits are `scale` times cosines.
        entropy_weight: α in F = accuracy + α · mean log p(true class) (ProAPO, eq. 5).
        top5_weight: weight of the top-5 accuracy.
    """

    def __init__(
        self,
        images: NDArray[np.float32],
        labels: NDArray[np.int64],
        prompts: Sequence[NDArray[np.float32]],
        *,
        scale: float,
        entropy_weight: float,
        top5_weight: float = 0.0,
    ) -> None:
        self.labels = labels
        self.scale = scale
        self.entropy_weight = entropy_weight
        self.top5_weight = top5_weight
        classes, width = len(prompts), max(len(rows) for rows in prompts)
        self.valid = np.zeros((classes, width), dtype=bool)
        self._cosines = np.zeros((classes, width, len(images)), dtype=np.float32)
        self._gram = np.zeros((classes, width, width), dtype=np.float32)
        for index, rows in enumerate(prompts):
            self.valid[index, : len(rows)] = True
            self._cosines[index, : len(rows)] = rows @ images.T
            self._gram[index, : len(rows), : len(rows)] = rows @ rows.T

    def cosines(self, masks: NDArray[np.bool_], classes: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Cosines C×n×G of the images with the class vectors of masks C×G×M, for G of the classes (all by default)."""
        chosen = slice(None) if classes is None else classes
        weights = np.ascontiguousarray(masks.transpose(1, 0, 2), dtype=np.float32)
        dots = weights @ self._cosines[chosen]
        squares = ((weights @ self._gram[chosen]) * weights).sum(axis=2)
        return np.ascontiguousarray((dots / np.sqrt(np.maximum(squares, 1e-12))[:, :, None]).transpose(1, 2, 0))

    def shared_cosines(self, masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """As `cosines`, for sets of templates: masks C×M that are the same for every class."""
        weights = masks.astype(np.float32)
        dots = weights @ self._cosines
        squares = ((weights @ self._gram) * weights).sum(axis=2)
        return np.ascontiguousarray((dots / np.sqrt(np.maximum(squares, 1e-12))[:, :, None]).transpose(1, 2, 0))

    def rate(self, cosines: NDArray[np.float32]) -> Fitness:
        """The fitness of cosines C×n×K."""
        logits = cosines * np.float32(self.scale)
        true = np.take_along_axis(logits, self.labels[None, :, None], axis=2)
        # In a tie the class with the lower index wins, as with argmax.
        earlier = np.arange(logits.shape[2]) < self.labels[:, None]
        ahead = (logits > true) | ((logits == true) & earlier)
        above = ahead.sum(axis=2)
        accuracy = (above == 0).mean(axis=1)
        top = logits.max(axis=2, keepdims=True)
        normaliser = np.log(np.exp(logits - top).sum(axis=2)) + top[:, :, 0]
        entropy = (true[:, :, 0] - normaliser).mean(axis=1).astype(np.float64)
        value = accuracy + self.entropy_weight * entropy
        if self.top5_weight:
            value = value + self.top5_weight * (above < 5).mean(axis=1)
        return Fitness(accuracy, entropy, value)

    def rate_edits(self, base: NDArray[np.float32], masks: NDArray[np.bool_], classes: NDArray[np.int64]) -> Fitness:
        """The fitness of sets that differ from a base set in G classes only: `base` is its cosines n×K, `masks` are C×G×M."""
        step = max(1, CHUNK_FLOATS // base.size)
        parts: list[Fitness] = []
        for start in range(0, len(masks), step):
            part = masks[start : start + step]
            whole = np.repeat(base[None], len(part), axis=0)
            whole[:, :, classes] = self.cosines(part, classes)
            parts.append(self.rate(whole))
        return _joined(parts)

    def rate_shared(self, masks: NDArray[np.bool_]) -> Fitness:
        """The fitness of sets of templates, masks C×M."""
        step = max(1, CHUNK_FLOATS // (self._cosines.shape[0] * self._cosines.shape[2]))
        return _joined([self.rate(self.shared_cosines(masks[at : at + step])) for at in range(0, len(masks), step)])


def _joined(parts: list[Fitness]) -> Fitness:
    return Fitness(
        np.concatenate([part.accuracy for part in parts]),
        np.concatenate([part.entropy for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def calibrated_scale(cosines: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The scale from cosines (n×K) to logits under which the labels are likeliest: temperature scaling (Guo 2017, §4.2)."""
    scales = np.geomspace(1.0, 300.0, 60)
    wide = cosines.astype(np.float64)
    true = wide[np.arange(len(labels)), labels]
    likelihood = [float((scale * true - logsumexp(scale * wide, axis=1)).mean()) for scale in scales]
    return float(scales[int(np.argmax(likelihood))])
