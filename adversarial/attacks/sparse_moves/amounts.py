"""Moves values of an adversarial image back towards the original, first those that cost the least margin for what they save."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, SparseMovesTuning
from adversarial.distances.levels import on_grid

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.query_log import QueryLog, Search

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    Indices: TypeAlias = NDArray[np.int64]


class Amounts:
    """How far each changed part of an adversarial image is moved, made less in L1.

    A part is one number of the image where few are changed, else a pixel. Each part is put back to the original once, which
    tells what margin it costs; its price is that margin per unit of L1. The cheapest parts are put back together, the last one
    in part, as far as the margin seems to pay for them, and somewhat less and more far. For a linear classifier that is the
    nearest image among those that move the same parts no farther (a fractional knapsack, Dantzig 1957). In turn, further
    changes are added that gain more margin for their L1 than the cheapest parts cost.

    Args:
        log: the image, its budget and the answers; distances must be L1, or another that falls with each part put back.
        tuning: its constants.
    """

    def __init__(self, log: QueryLog, tuning: SparseMovesTuning = STANDARD.sparse_moves) -> None:
        self.log, self.tuning = log, tuning
        self.channels = log.image.shape[-1]
        self._flat = log.image.ravel()
        self._space = np.empty((0, *log.image.shape), dtype=np.float32)

    def lower(self, start: Array, margin: float) -> Search:
        """Put parts of an adversarial image (H, W, C) back until that gains little more; `margin` is its deciding gap.

        Raises:
            BudgetSpent: the budget ended first.
        """
        image, size = start, self._size(start)
        while True:
            parts = self.parts(image)
            if not 0 < len(parts) <= self.tuning.most_parts:
                return
            values = yield from self._put_back(image, parts)
            parts = parts[: len(values)]
            found = yield from self._pay(image, parts, margin - values, margin)
            if found is None:
                return
            image, margin = found
            before, size = size, self._size(image)
            if size > self.tuning.progress * before:
                return

    def parts(self, image: Array) -> Indices:
        """(n, m) places of the values of each changed part: single numbers, or the channels of a pixel where there are many."""
        changed = np.flatnonzero(image.ravel() != self._flat)
        if len(changed) <= self.tuning.single:
            return changed[:, None]
        pixels = np.unique(changed // self.channels)
        return np.asarray(pixels[:, None] * self.channels + np.arange(self.channels))

    def _put_back(self, image: Array, parts: Indices) -> Generator[Array, Floats, Floats]:
        """(n,) the deciding gap with each part at its value in the original."""
        told: list[Floats] = []
        for first in range(0, len(parts), self.tuning.together):
            if first and self.log.left <= 0:
                break
            some = parts[first : first + self.tuning.together]
            images = self._copies(image, len(some))
            images.reshape(len(some), -1)[np.arange(len(some))[:, None], some] = self._flat[some]
            told.append(self.log.value((yield from self.log.ask(images, fitting=True))).astype(np.float64))
        return np.concatenate(told)

    def _pay(
        self, image: Array, parts: Indices, losses: Floats, margin: float
    ) -> Generator[Array, Floats, tuple[Array, float] | None]:
        """Put the cheapest parts back; returns the nearest image that flips and its deciding gap, or None."""
        saved = np.abs(image.ravel()[parts].astype(np.float64) - self._flat[parts]).sum(axis=1)
        order = np.argsort(losses / saved, kind="stable")
        parts, costs = parts[order], np.maximum(losses[order], self.tuning.free * margin / len(order))
        low, high = 0.0, np.inf
        found: tuple[Array, float] | None = None
        shares = np.array(self.tuning.shares)
        for _ in range(self.tuning.rounds):
            images = self._paid(image, parts, costs, shares * margin)
            values = self.log.value((yield from self.log.ask(images, fitting=True)))
            held = np.flatnonzero(values > 0)
            if len(held):
                last = int(held[-1])
                found = images[last].copy(), float(values[last])
                low = float(shares[last])
                high = float(shares[last + 1]) if last + 1 < len(values) else high
            else:
                high = float(shares[0])
            high = min(high, 4 * max(low, float(shares[0])))
            shares = low + (high - low) * np.array(self.tuning.between)
        return found

    def _paid(self, image: Array, parts: Indices, costs: Floats, spent: Floats) -> Array:
        """Images (n, H, W, C) with as many of the parts put back, in their order, as each of (n,) margins pays for."""
        before = np.concatenate([[0.0], np.cumsum(costs)[:-1]])
        back = np.clip((spent[:, None] - before) / costs, 0, 1)[:, :, None]
        values, original = image.ravel()[parts].astype(np.float64), self._flat[parts].astype(np.float64)
        made = on_grid(np.clip(values + back * (original - values), 0, 1).astype(np.float32)[..., None], self.log.levels)[
            ..., 0
        ]
        made = np.where(back == 1, self._flat[parts], np.where(back == 0, image.ravel()[parts], made))
        images = self._copies(image, len(spent))
        images.reshape(len(spent), -1)[:, parts.ravel()] = made.reshape(len(spent), -1)
        return images

    def _copies(self, image: Array, count: int) -> Array:
        if len(self._space) < count:
            self._space = np.empty((count, *image.shape), dtype=np.float32)
        self._space[:count] = image
        return self._space[:count]

    def _size(self, image: Array) -> float:
        return float(np.abs(image - self.log.image, dtype=np.float64).sum())
