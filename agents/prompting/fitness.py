"""Fitness of thousands of prompt sets at once: a class vector is a mean of prompt vectors, so scores are matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.weights import FitnessWeights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CHUNK_FLOATS = 500_000
"""Cosines scored at once: 2 MB of float32, which a second-level cache holds."""

TOP = 5
"""Places that count for the top-5 accuracy."""

MARGIN = 1e-6
"""By how much cosine a pinned image must be ahead: more than float32 sums differ by when they are taken in another order."""


@dataclass(frozen=True)
class Fitness:
    """The fitness of C prompt sets on the labelled images, and its parts: C values each.

    `value` is -inf for sets that get a pinned image wrong.
    """

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
        weights: of the parts of the fitness (ProAPO, eq. 5, and the terms that the released program adds).
        pinned: P×D image embeddings and P class indices of images that no set may get wrong; they add nothing to the fitness.
    """

    def __init__(
        self,
        images: NDArray[np.float32],
        labels: NDArray[np.int64],
        prompts: Sequence[NDArray[np.float32]],
        *,
        scale: float,
        weights: FitnessWeights | None = None,
        pinned: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
    ) -> None:
        self.counted = len(labels)
        if pinned is not None:
            images, labels = np.concatenate([images, pinned[0]]), np.concatenate([labels, pinned[1]])
        self.labels = labels
        self.scale = scale
        self.weights = weights or FitnessWeights()
        self.prompts = tuple(prompts)
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

    def vectors(self, masks: NDArray[np.bool_], classes: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """The class vectors C×G×D of masks C×G×M, at length 1."""
        chosen = np.arange(len(self.prompts)) if classes is None else classes
        sums = [
            masks[:, at, : len(self.prompts[index])].astype(np.float32) @ self.prompts[index] for at, index in enumerate(chosen)
        ]
        return unit_rows(np.stack(sums, axis=1))

    def rate(self, cosines: NDArray[np.float32], redundancy: NDArray[np.float64] | None = None) -> Fitness:
        """The fitness of cosines C×n×K; `redundancy` (C) is that of the sets' class vectors, where its weight is not 0."""
        logits = cosines * np.float32(self.scale)
        true = np.take_along_axis(logits, self.labels[None, :, None], axis=2)
        # In a tie the class with the lower index wins, as with argmax.
        earlier = np.arange(logits.shape[2]) < self.labels[:, None]
        ahead = (logits > true) | ((logits == true) & earlier)
        above = ahead.sum(axis=2)
        counted = slice(0, self.counted)
        accuracy = (above[:, counted] == 0).mean(axis=1)
        top = logits.max(axis=2, keepdims=True)
        normaliser = np.log(np.exp(logits - top).sum(axis=2)) + top[:, :, 0]
        entropy = (true[:, counted, 0] - normaliser[:, counted]).mean(axis=1).astype(np.float64)
        value = self.weights.entropy * entropy
        if self.weights.accuracy:
            value = value + self.weights.accuracy * accuracy
        if self.weights.top5:
            value = value + self.weights.top5 * (above[:, counted] < TOP).mean(axis=1)
        if self.weights.redundancy and redundancy is not None:
            value = value + self.weights.redundancy * redundancy
        if self.counted < len(self.labels):
            held = margins(cosines[:, self.counted :], self.labels[self.counted :]) > MARGIN
            value = np.where(held.all(axis=1), value, -np.inf)
        return Fitness(accuracy, entropy, value)

    def rate_sets(self, masks: NDArray[np.bool_]) -> Fitness:
        """The fitness of whole sets, masks C×K×M."""
        step = max(1, CHUNK_FLOATS // (self._cosines.shape[0] * self._cosines.shape[2]))
        parts = [masks[at : at + step] for at in range(0, len(masks), step)]
        return _joined([self.rate(self.cosines(part), self.redundancy(part)) for part in parts])

    def rate_edits(
        self,
        base: NDArray[np.float32],
        masks: NDArray[np.bool_],
        classes: NDArray[np.int64],
        vectors: NDArray[np.float32] | None = None,
    ) -> Fitness:
        """The fitness of sets that differ from a base set in G classes only.

        Args:
            base: the cosines n×K of the base set.
            masks: C×G×M, of the G classes.
            classes: the indices of these.
            vectors: the class vectors K×D of the base set, needed where redundancy has a weight.
        """
        step = max(1, CHUNK_FLOATS // base.size)
        parts: list[Fitness] = []
        for start in range(0, len(masks), step):
            part = masks[start : start + step]
            whole = np.repeat(base[None], len(part), axis=0)
            whole[:, :, classes] = self.cosines(part, classes)
            redundancy = None
            if self.weights.redundancy and vectors is not None:
                every = np.repeat(vectors[None], len(part), axis=0)
                every[:, classes] = self.vectors(part, classes)
                redundancy = redundancy_of(every)
            parts.append(self.rate(whole, redundancy))
        return _joined(parts)

    def rate_shared(self, masks: NDArray[np.bool_]) -> Fitness:
        """The fitness of sets of templates, masks C×M."""
        step = max(1, CHUNK_FLOATS // (self._cosines.shape[0] * self._cosines.shape[2]))
        parts = [masks[at : at + step] for at in range(0, len(masks), step)]
        classes = len(self.prompts)
        return _joined(
            [
                self.rate(
                    self.shared_cosines(part),
                    self.redundancy(np.repeat(part[:, None], classes, axis=1)) if self.weights.redundancy else None,
                )
                for part in parts
            ]
        )

    def redundancy(self, masks: NDArray[np.bool_]) -> NDArray[np.float64] | None:
        """The redundancy of whole sets, masks C×K×M; None where it has no weight."""
        return redundancy_of(self.vectors(masks)) if self.weights.redundancy else None


def redundancy_of(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """‖upper triangle of V Vᵀ without its diagonal‖ of class vectors C×K×D: how alike the classes are, C values."""
    gram = (vectors @ vectors.transpose(0, 2, 1)).astype(np.float64)
    result: NDArray[np.float64] = np.sqrt((np.triu(gram, 1) ** 2).sum(axis=(1, 2)))
    return result


def margins(cosines: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """By how much the true class of each image is ahead of the next, C×P, from cosines C×P×K."""
    place = labels[None, :, None]
    true = np.take_along_axis(cosines, place, axis=2)[:, :, 0]
    others = cosines.copy()
    np.put_along_axis(others, place, -np.inf, axis=2)
    found: NDArray[np.float32] = true - others.max(axis=2)
    return found


def _joined(parts: list[Fitness]) -> Fitness:
    return Fitness(
        np.concatenate([part.accuracy for part in parts]),
        np.concatenate([part.entropy for part in parts]),
        np.concatenate([part.value for part in parts]),
    )
