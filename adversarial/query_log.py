"""The account of one attack on one image: what was asked, what is left of the budget, and the best found so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.classifiers import Scores, comparable
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    # a search asks by yielding images and is sent their scores; it ends when it has no more to ask
    Search: TypeAlias = Generator[Images, Floats, None]
    Asking: TypeAlias = Generator[Images, Floats, Floats]

STEPS = 14  # binary digits that gaps are rounded to: rounding noise of other batch sizes must not change a search


class BudgetSpent(Exception):  # noqa: N818 - the end of a search, not an error
    """A search wanted to ask when nothing was left."""


class QueryLog:
    """One image's budget, answers and best adversarial example.

    Attributes:
        image: (H, W, C) float32, the original.
        label: the class to get away from.
        target: the class to reach, or None.
        left: queries that may still be made.
        queries: queries made.
        best: the nearest adversarial image, or None.
        distance: its distance, infinite while there is none.
        points: (queries, distance) each time a nearer one was found.
        clean: (K,) scores of the original once it was asked about.
    """

    def __init__(self, image: Images, label: int, target: int | None, *, distance: Distance, budget: int, kind: Scores) -> None:
        self.image, self.label, self.target, self.kind = image, label, target, kind
        self.budget, self.queries = budget, 0
        self.limit = budget
        self.best: Images | None = None
        self.best_scores: Floats | None = None
        self.distance = math.inf
        self.points: list[tuple[int, float]] = []
        self.clean: Floats | None = None
        self.on_better: Callable[[QueryLog], None] | None = None
        self._measure = distance.measure
        self._quantum = 0.0

    def found(self) -> bool:
        """Whether there is an adversarial example yet."""
        return self.best is not None

    @property
    def left(self) -> int:
        """Queries that may still be made."""
        return self.limit - self.queries

    def ask(self, images: Images) -> Asking:
        """Ask about as many of the images as the budget allows; their gaps (n, K or 1), see `gaps`.

        Raises:
            BudgetSpent: nothing was left.
        """
        if self.left <= 0:
            raise BudgetSpent
        scores = yield images[: self.left]
        return self.take(images[: self.left], scores)

    def take(self, images: Images, scores: Floats) -> Floats:
        """Enter the answers to images; nearer adversarial examples among them are kept."""
        highest = max(self.label, -1 if self.target is None else self.target)
        if highest >= scores.shape[1]:
            raise UsageError(f"there is no class {highest}: the classifier has {scores.shape[1]}, counted from 0")
        if self.clean is None:
            self.clean = scores[0]
        reached = self.reached(scores)
        first = self.queries
        self.queries += len(images)
        if reached.any():
            rows = np.flatnonzero(reached)
            distances = self._measure(np.subtract(images[rows], self.image, dtype=np.float64))
            for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
                if distance < self.distance:
                    self.best, self.best_scores, self.distance = images[row].copy(), scores[row], distance
                    self.points.append((first + row + 1, distance))
                    if self.on_better is not None:
                        self.on_better(self)
        return self.gaps(scores)

    def reached(self, scores: Floats) -> NDArray[np.bool_]:
        """(N,) whether rows of scores show the goal: another class than the label, or the target."""
        winner = scores.argmax(axis=1)
        return np.asarray(winner != self.label if self.target is None else winner == self.target)

    def gaps(self, scores: Floats) -> Floats:
        """How far the classes are from the goal, (N, K - 1); `value` makes one number a row of it.

        Untargeted: how far each class is ahead of the label; one above 0 is enough. Targeted: how far the target is ahead of
        each class; all must be above 0. Exact ties are broken as the classifier's own argmax does: a gap that rounding or a
        tie puts on the wrong side becomes the least number on the right one.
        """
        values = comparable(scores, self.kind)
        pivot = self.label if self.target is None else self.target
        gaps = np.delete(values, pivot, axis=1) - values[:, [pivot]]
        if self.every:
            gaps = -gaps
        if not self._quantum:
            self._quantum = 2.0 ** (math.floor(math.log2(max(float(np.abs(gaps).max()), 1e-9))) - STEPS)
        gaps = np.round(gaps / self._quantum) * self._quantum
        reached = self.reached(scores)
        value = self.value(gaps)
        for rows, sign in ((~reached & (value >= 0), -self._quantum), (reached & (value <= 0), self._quantum)):
            places = np.flatnonzero(rows)
            if len(places) and self.every == (sign > 0):
                gaps[places] = np.maximum(gaps[places], sign) if sign > 0 else np.minimum(gaps[places], sign)
            elif len(places):
                gaps[places, (gaps[places].argmax if sign > 0 else gaps[places].argmin)(axis=1)] = sign
        return gaps

    @property
    def every(self) -> bool:
        """Whether every gap must be closed (a target) rather than one."""
        return self.target is not None

    def value(self, gaps: NDArray[np.floating]) -> NDArray[np.floating]:
        """(...,) above 0 where gaps (..., K - 1) are those of an adversarial image."""
        return np.asarray(gaps.min(axis=-1) if self.every else gaps.max(axis=-1))

    def trace(self) -> NDArray[np.float64]:
        """(T, 2) rows of queries and best distance: one each time it fell, and one for the end of the attack."""
        points = list(self.points)
        if self.queries and (not points or points[-1][0] < self.queries):
            points.append((self.queries, self.distance))
        return np.array(points, dtype=np.float64).reshape(-1, 2)
