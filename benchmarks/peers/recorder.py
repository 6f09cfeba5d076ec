"""A classifier that counts for a peer, keeps the nearest adversarial image it was ever shown, and ends it at the budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances import DISTANCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class BudgetSpent(Exception):  # noqa: N818 - the end of an attack
    """The peer has had its queries."""


class Recorder:
    """(N, H, W, C) -> (N, K). A peer is given its best image, whether or not it would have returned that one itself.

    Attributes:
        queries: images asked about so far.
        distance: of the nearest adversarial image among them; infinite while there is none.
        best: (H, W, C) that image, or None.
        trace: (T, 2) rows of queries and the smallest distance by then, one for each nearer image.
    """

    def __init__(
        self, predict: Callable[[NDArray[np.float32]], NDArray[np.floating]], image: NDArray[np.float32], label: int,
        target: int | None, budget: int, norm: str,
    ) -> None:  # fmt: skip
        self.predict, self.image, self.label, self.target, self.budget = predict, image, label, target, budget
        self.measure = DISTANCES.get(norm).measure
        self.queries, self.distance = 0, math.inf
        self.best: NDArray[np.float32] | None = None
        self.trace: NDArray[np.float64] = np.zeros((0, 2))

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Scores, as far as the budget goes."""
        room = self.budget - self.queries
        if room <= 0:
            raise BudgetSpent
        asked = np.ascontiguousarray(images[:room], dtype=np.float32)
        scores = np.asarray(self.predict(asked))
        self._look(asked, scores.argmax(axis=1))
        self.queries += len(asked)
        if len(asked) < len(images):
            raise BudgetSpent
        return scores

    def _look(self, asked: NDArray[np.float32], winner: NDArray[np.int64]) -> None:
        won = np.flatnonzero(winner != self.label if self.target is None else winner == self.target)
        if not len(won):
            return
        changes = asked[won] - self.image
        changes[np.abs(changes) < 1e-6] = 0
        distances = np.asarray(self.measure(changes), dtype=np.float64)
        nearer = distances < np.minimum.accumulate(np.append(self.distance, distances))[:-1]
        if nearer.any():
            rows = np.stack([self.queries + 1 + won[nearer], distances[nearer]], axis=1)
            self.trace = np.concatenate([self.trace, rows])
            last = np.flatnonzero(nearer)[-1]
            self.distance, self.best = float(distances[last]), asked[won[last]].copy()
