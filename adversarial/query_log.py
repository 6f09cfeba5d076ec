"""The log of one attack on one image: what was asked, what is left of the budget, and the nearest finding so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.classifiers import Scores, comparable
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    # A search asks by yielding images (N, H, W, C) and is sent their scores (N, K). It ends when it has no more to ask.
    Search: TypeAlias = Generator[Images, Floats, None]
    # A part of a search that also returns gaps, see `QueryLog.gaps`.
    Asking: TypeAlias = Generator[Images, Floats, Floats]

# Binary digits that gaps are rounded to. The last digits of a score depend on the size of the batch in which the classifier
# computed it; rounding keeps them from changing what a search does next.
DIGITS = 14


UNKNOWN = -1  # the label of an image whose class the classifier is to say


class BudgetSpent(Exception):  # noqa: N818 - the end of a search, not an error
    """A search wanted to ask when nothing was left."""


class QueryLog:
    """One image's budget, its answers, and the nearest adversarial image found so far.

    A log can be shared out into parts with limits of their own (the competitive game does, one for each feature).

    Args:
        image: (H, W, C) float32 in [0, 1], the original.
        label: the class to get away from; `UNKNOWN` for the class that the classifier sees in the original, see `look`.
        target: the class to reach, or None for any class but the label.
        distance: in which the nearest adversarial image is kept.
        budget: the queries by which a search plans its phases.
        kind: whether the scores are logits or probabilities.
        limit: the queries that may be made; None for `budget`.

    Attributes:
        best: the nearest adversarial image, or None.
        best_scores: (K,) its scores, or None.
        distance: its distance; infinite while there is none.
        points: (queries, distance), one for each time that a nearer adversarial image was found.
        clean: (K,) scores of the original, None until it was asked about.
        parts: the logs that this one was shared out into.
    """

    def __init__(
        self, image: Images, label: int, target: int | None, *, distance: Distance, budget: int, kind: Scores,
        limit: int | None = None,
    ) -> None:  # fmt: skip
        self.image, self.label, self.target, self.kind = image, label, target, kind
        self.budget, self.limit = budget, budget if limit is None else limit
        self.best: Images | None = None
        self.best_scores: Floats | None = None
        self.distance = math.inf
        self.points: list[tuple[int, float]] = []
        self.clean: Floats | None = None
        self.parts: list[QueryLog] = []
        self._measured_in = distance
        self._looked: Floats | None = None  # the answer to `look`, until the search asks about the original itself
        self._asked = 0
        self._quantum = 0.0

    def part(self, *, budget: int, limit: int) -> QueryLog:
        """Share out a log for the same image and goal; its queries count for this log as well."""
        made = QueryLog(
            self.image, self.label, self.target, distance=self._measured_in, budget=budget, kind=self.kind, limit=limit
        )
        self.parts.append(made)
        if self._looked is not None:  # the first part is for the image as a whole
            made.look(self._looked)
            self._asked, self._looked = self._asked - 1, None
        return made

    @property
    def labelled(self) -> bool:
        """Whether the label is known."""
        return self.label != UNKNOWN

    def look(self, scores: Floats) -> None:
        """Enter the answer (1, K) about the original, asked before the search begins; the label, where unknown, is its class.

        It is counted once: the search's own question about the original is answered by it.
        """
        if not self.labelled:
            self.label = int(scores[0].argmax())
        self.take(self.image[None], scores)
        self._looked = scores

    @property
    def queries(self) -> int:
        """Queries made, those of the parts included."""
        return self._asked + sum(part.queries for part in self.parts)

    @property
    def left(self) -> int:
        """Queries that may still be made."""
        return self.limit - self.queries

    def found(self) -> bool:
        """Whether there is an adversarial image yet."""
        return self.best is not None

    def outcome(self) -> QueryLog:
        """The log that holds the result.

        That is this log, or, where it was shared out, the part with the farthest finding: the first part is for the image
        as a whole, the others for its features; features in which nothing was found don't count.
        """
        if not self.parts:
            return self
        whole, *features = self.parts
        if whole.distance == 0:
            return whole
        return max([whole, *(part for part in features if part.found())], key=lambda part: part.distance)

    def ask(self, images: Images) -> Asking:
        """Ask about as many of the images as the budget allows.

        Returns:
            The gaps of these images, (n, K - 1); see `gaps`.

        Raises:
            BudgetSpent: nothing was left.
        """
        if self._looked is not None and np.array_equal(images[0], self.image):
            look, self._looked = self.gaps(self._looked), None
            if len(images) == 1:
                return look
            return np.concatenate([look, (yield from self.ask(images[1:]))])
        if self.left <= 0:
            raise BudgetSpent
        scores = yield images[: self.left]
        return self.take(images[: self.left], scores)

    def take(self, images: Images, scores: Floats) -> Floats:
        """Enter the answers to images, and keep the nearest adversarial image among them; returns their gaps.

        Raises:
            UsageError: the classifier has no class of the label's or the target's number.
        """
        highest = max(self.label, -1 if self.target is None else self.target)
        if highest >= scores.shape[1]:
            raise UsageError(f"there is no class {highest}: the classifier has {scores.shape[1]}, counted from 0")
        if self.clean is None:
            self.clean = scores[0]
        rows = np.flatnonzero(self.reached(scores))
        before = self._asked
        self._asked += len(images)
        if len(rows):
            distances = self._measured_in.measure(np.subtract(images[rows], self.image, dtype=np.float64))
            for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
                if distance < self.distance:
                    self.best, self.best_scores, self.distance = images[row].copy(), scores[row], distance
                    self.points.append((before + row + 1, distance))
        return self.gaps(scores)

    def count_check(self) -> None:
        """Count the query by which the answer about the finding was checked."""
        self._asked += 1

    def reached(self, scores: Floats) -> NDArray[np.bool_]:
        """(N,) whether rows of scores show the goal: another class than the label, or the target."""
        winner = scores.argmax(axis=1)
        return np.asarray(winner != self.label if self.target is None else winner == self.target)

    def gaps(self, scores: Floats) -> Floats:
        """How far each class is from the goal, (N, K - 1); `value` makes one number of each row.

        Without a target: how far each class is ahead of the label; one gap above 0 is enough. With a target: how far the
        target is ahead of each class; all gaps must be above 0. Exact ties are broken as the classifier's own argmax breaks
        them: a gap that rounding or a tie puts on the wrong side of 0 becomes the smallest number on the right side.
        """
        values = comparable(scores, self.kind)
        pivot = self.label if self.target is None else self.target
        gaps = np.delete(values, pivot, axis=1) - values[:, [pivot]]
        if self.every:
            gaps = -gaps
        if not self._quantum:
            self._quantum = 2.0 ** (math.floor(math.log2(max(float(np.abs(gaps).max()), 1e-9))) - DIGITS)
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
        """Whether every gap must be closed (there is a target) rather than one."""
        return self.target is not None

    def value(self, gaps: NDArray[np.floating]) -> NDArray[np.floating]:
        """(...,) numbers above 0 where gaps (..., K - 1) are those of an adversarial image."""
        return np.asarray(gaps.min(axis=-1) if self.every else gaps.max(axis=-1))

    def trace(self) -> NDArray[np.float64]:
        """(T, 2) rows of queries and smallest distance: one for each time it fell, and one for the end of the attack.

        Where the log was shared out, there is only the row for the end: its distance is the largest of several.
        """
        found = self.outcome()
        points = [] if self.parts else list(self.points)
        if self.queries and (not points or points[-1][0] < self.queries):
            points.append((self.queries, found.distance))
        return np.array(points, dtype=np.float64).reshape(-1, 2)
