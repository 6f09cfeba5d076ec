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
    """(N, H, W, C) -> (N, K). A peer is given its best image, whether or not it would have returned that one itself."""

    def __init__(
        self, predict: Callable[[NDArray[np.float32]], NDArray[np.floating]], image: NDArray[np.float32], label: int,
        target: int | None, budget: int, norm: str,
    ) -> None:  # fmt: skip
        self.predict, self.image, self.label, self.target, self.budget = predict, image, label, target, budget
        self.measure = DISTANCES.get(norm).measure
        self.queries, self.distance = 0, math.inf

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """Scores, as far as the budget goes."""
        room = self.budget - self.queries
        if room <= 0:
            raise BudgetSpent
        asked = np.ascontiguousarray(images[:room], dtype=np.float32)
        scores = np.asarray(self.predict(asked))
        self.queries += len(asked)
        winner = scores.argmax(axis=1)
        won = winner != self.label if self.target is None else winner == self.target
        if won.any():
            changes = asked[won] - self.image
            changes[np.abs(changes) < 1e-6] = 0
            self.distance = min(self.distance, float(self.measure(changes).min()))
        if len(asked) < len(images):
            raise BudgetSpent
        return scores
