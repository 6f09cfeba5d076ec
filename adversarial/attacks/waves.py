"""Search for the smallest change in L1, L2 or L-infinity: a linear model of the scores, learned from waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.shrink import towards_original

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance
    from adversarial.query_log import QueryLog

    Floats: TypeAlias = NDArray[np.float64]
    Array: TypeAlias = NDArray[np.float32]
    Indices: TypeAlias = NDArray[np.int64]
    Steps: TypeAlias = Generator[Array, Floats, None]
    Gaps: TypeAlias = Generator[Array, Floats, Floats]

OPENING = 0.3  # of the budget goes to waves around the original
ROOM = 20_000_000  # numbers that the waves kept may hold
CLASSES = 12  # classes followed: those that start nearest
LEAVES = 16
LENGTH = 0.25  # Euclidean length of a wave for 1,000 numbers in an image; grows with the root of their count
RIDGE = 1e-3
LEVELS = np.array([0.7, 1.0, 1.4, 2.0, 3.0])  # how far beyond the linear model's own boundary candidates go at first
BLENDS = np.array([1.0, 0.75, 0.5, 0.3, 0.15])  # how far from the best so far to the model's nearest flip
SLACK = np.array([0.002, 0.02, 0.08])  # shares of the original gap by which candidates go beyond the model's boundary


class Descent:
    """One image's search for the smallest change in a distance with a geometry (see `Distance.nearest`).

    The scores' gaps are modelled as linear. The model is learned from waves (low frequencies of the discrete cosine
    transform, channel by channel) added to the original, and corrected where the boundary is by waves added there: a block
    of Kaczmarz projections, so that each answer is reproduced and the rest changes least. The model's nearest flip inside
    the colour cube is what the distance itself says it is (Moosavi-Dezfooli et al. 2016, section 2, for the unbounded case).
    """

    def __init__(
        self,
        account: QueryLog,
        distance: Distance,
        rng: np.random.Generator,
        budget: int,
        mask: NDArray[np.bool_] | None = None,
    ) -> None:
        self.account, self.distance, self.rng, self.budget = account, distance, rng, budget
        self.image = account.image.astype(np.float32)
        self.size = self.image.size
        height, width, channels = self.image.shape
        self.mask = None if mask is None else np.repeat(mask.reshape(-1), channels).astype(np.float32)
        self.low, self.high = -self.image.ravel().astype(np.float64), 1.0 - self.image.ravel().astype(np.float64)
        if self.mask is not None:
            self.low, self.high = self.low * self.mask, self.high * self.mask
        count = max(8, min(self.size, ROOM // self.size))
        order = np.add.outer(np.arange(height) / height, np.arange(width) / width).ravel().argsort(kind="stable")
        self.order = np.repeat(order[: -(-count // channels)], channels)[:count]
        self.channel = np.tile(np.arange(channels), -(-count // channels))[:count]
        self.next = 0
        self.length = LENGTH * np.sqrt(self.size / 1000)
        self.columns = np.zeros(0, dtype=np.int64)
        self.model = np.zeros((self.size, 0))

    def steps(self) -> Steps:
        """The whole search; it asks by yielding images and ends with the budget, or when nothing moves any more."""
        gaps = yield from self.account.ask(self.image[None])
        if self.account.found():
            return
        gaps = self._one(gaps)
        self.columns = np.argsort(-gaps[0], kind="stable")[:CLASSES]
        self.model = np.zeros((self.size, len(self.columns)))
        here, at = np.zeros(self.size), gaps[0, self.columns]
        start = float(-at.max())
        yield from self._learn(here, at, max(1, int(OPENING * self.budget)))
        while not self.account.found():
            here, at = yield from self._approach(here, at)
            if not self.account.found():
                yield from self._learn(here, at, 2 * LEAVES)
        yield from towards_original(self.account)
        probes, idle = LEAVES, 0
        while idle < 20:
            before = self.account.distance
            best = self.account.best
            if best is None or self.account.best_scores is None:
                return
            here = (best - self.image).ravel().astype(np.float64)
            at = self._one(self.account.gaps(self.account.best_scores[None]))[0, self.columns]
            yield from self._learn(here, at, probes)
            yield from self._refine(here, at, start)
            better = self.account.distance < before * 0.999
            idle = 0 if better else idle + 1
            probes = LEAVES if better else min(4 * LEAVES, 2 * probes)

    def evidence(self) -> Floats:
        """(H, W): the steepness of the model at each pixel, towards the class that was nearest."""
        if not self.model.shape[1]:
            return np.zeros(self.image.shape[:2])
        scores = self.account.best_scores
        column = 0 if scores is None else int(self._one(self.account.gaps(scores[None]))[0, self.columns].argmax())
        return np.asarray(np.abs(self.model[:, column]).reshape(self.image.shape).max(axis=-1))

    def _learn(self, here: Floats, at: Floats, count: int) -> Steps:
        """Ask about waves around a point, and correct the model so that it reproduces the answers."""
        while count > 0:
            number = min(count, 8 * LEAVES)
            count -= number
            waves = self._waves(number)
            toward = np.where(self.rng.random(len(waves)) < 0.5, -1.0, 1.0)[:, None] * waves
            points = np.clip(here + toward, self.low, self.high)
            moves = points - here
            kept = (moves**2).sum(axis=1) > (0.05 * self.length) ** 2
            if not kept.any():
                return
            points, moves = points[kept], moves[kept]
            gaps = yield from self._ask(points)
            moves = moves[: len(gaps)]
            wrong = gaps - at - moves @ self.model
            gram = moves @ moves.T
            gram[np.diag_indices_from(gram)] += RIDGE * self.length**2
            self.model += moves.T @ np.linalg.solve(gram, wrong)

    def _approach(self, here: Floats, at: Floats) -> Generator[Array, Floats, tuple[Floats, Floats]]:
        """Ask about the model's nearest flips of the nearest classes, some way beyond; the point that came closest."""
        needs = at - here @ self.model  # the model's gaps at the original
        flips = np.stack([self._nearest(column, -needs[column]) for column in range(len(self.columns))])
        classes = np.argsort(self.distance.measure(flips.reshape(-1, *self.image.shape)), kind="stable")[:3]
        points = np.stack([self._nearest(column, -level * needs[column]) for column in classes for level in LEVELS])
        gaps = yield from self._ask(points)
        best = int(gaps.max(axis=1).argmax())
        if gaps[best].max() <= at.max():
            grown = np.clip(here * 1.3 + self._waves(1)[0], self.low, self.high)
            gaps, points, best = (yield from self._ask(grown[None])), grown[None], 0
        return points[best], gaps[best]

    def _refine(self, here: Floats, at: Floats, start: float) -> Steps:
        """Ask about points between the best so far and the model's nearest flip."""
        needs = at - here @ self.model
        column = int(at.argmax())
        flips = np.stack([self._nearest(column, slack * start - needs[column]) for slack in SLACK])
        points = here + BLENDS[:, None, None] * (flips - here)
        yield from self._ask(points.reshape(-1, self.size))

    def _ask(self, moves: Floats) -> Gaps:
        images = np.clip(self.image + moves.reshape(-1, *self.image.shape), 0, 1).astype(np.float32)
        gaps = yield from self.account.ask(images)
        return self._one(gaps)[:, self.columns]

    def _one(self, gaps: Floats) -> Floats:
        """With a target, the gap that decides stands for all."""
        return gaps.min(axis=1, keepdims=True) if self.account.every else gaps

    def _waves(self, count: int) -> Floats:
        """The next waves in order of frequency, (count, H W C), each of the length `self.length`."""
        height, width, channels = self.image.shape
        numbers = (self.next + np.arange(count)) % len(self.order)
        self.next = (self.next + count) % len(self.order)
        rows, columns = np.divmod(self.order[numbers], width)
        down = np.cos(np.pi * (np.arange(height) + 0.5) * rows[:, None] / height)
        across = np.cos(np.pi * (np.arange(width) + 0.5) * columns[:, None] / width)
        waves = np.zeros((count, height, width, channels))
        waves[np.arange(count), :, :, self.channel[numbers]] = down[:, :, None] * across[:, None, :]
        flat = waves.reshape(count, -1)
        if self.mask is not None:
            flat *= self.mask
        lengths = np.sqrt((flat**2).sum(axis=1, keepdims=True))
        return np.asarray(flat * self.length / np.maximum(lengths, 1e-9))

    def _nearest(self, column: int, need: float) -> Floats:
        """The smallest move inside the colour cube that the model says raises a gap by `need`."""
        if need <= 0 or self.distance.nearest is None:
            return np.zeros(self.size)
        slope, low, high = (array.reshape(self.image.shape) for array in (self.model[:, column], self.low, self.high))
        return self.distance.nearest(slope, need, low, high).ravel()
