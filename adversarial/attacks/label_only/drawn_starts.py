"""Images drawn at random over the whole range of values: starts for a search that has found none by other means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, DrawnTuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.query_log import QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]


class DrawnStarts:
    """Draws images that may be anything: few or many blocks of any size changed, to ends of the range of values or between.

    What reaches a class may be a small part of all images that no model of the scores, and no direction tried, points to.

    Args:
        log: the image, its budget and the answers.
        rng: the chance of the search, from which one of its own is spawned: drawing leaves that of the search as it was.
        allowed: (H, W) or (H W,) whether each pixel may change; None for all.
        tuning: its constants.
    """

    def __init__(
        self,
        log: QueryLog,
        rng: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
        tuning: DrawnTuning = STANDARD.drawn,
    ) -> None:
        self.log, self.tuning, self.rng = log, tuning, rng.spawn(1)[0]
        self._open = np.ones(log.image.shape[:2], dtype=bool) if allowed is None else allowed.reshape(log.image.shape[:2])

    @property
    def few(self) -> bool:
        """Whether the image has so few values that drawn ones are likely starts."""
        return self.log.image.size <= self.tuning.few

    def until_found(self) -> Search:
        """Ask about drawn images until one is adversarial.

        Raises:
            BudgetSpent: the budget ended first, or, on a grid, whatever was drawn had been asked before, for long.
        """
        if self.log.repeats is not None:
            self.log.repeats.begin_anew()
        while not self.log.found() and self._open.any():
            yield from self.some()

    def shortened(self) -> Search:
        """Move the best image towards the original, by bisection of the line between them."""
        best, low, high = self.log.best, 0.0, 1.0
        if best is None:
            return
        for _ in range(self.tuning.halvings):
            share = (low + high) / 2
            image = self.log.image + np.float32(share) * (best - self.log.image)
            flips = self.log.value((yield from self.log.ask(np.clip(image, 0, 1)[None])))[0] > 0
            low, high = (low, share) if flips else (share, high)

    def nearer(self) -> Search:
        """In L-infinity: ask about images like the best one that lie nearer, until that has not helped for long."""
        log, tuning, idle = self.log, self.tuning, 0
        while log.best is not None and log.distance > 0 and idle < tuning.idle:
            before, move = log.distance, log.best - log.image
            most = float(np.abs(move).max()) * self.rng.uniform(tuning.nearer, 1, size=(tuning.together, 1, 1, 1))
            anew = self.rng.uniform(-most, most, size=(tuning.together, *move.shape)) * self._open[..., None]
            kept = self.rng.random(anew.shape) < self.rng.random((tuning.together, 1, 1, 1))
            moved = np.clip(np.where(kept, move, anew), -most, most)
            yield from log.ask(np.clip(log.image + moved, 0, 1).astype(np.float32))
            idle = 0 if log.distance < before else idle + 1

    def some(self) -> Search:
        """Ask about a batch of drawn images."""
        yield from self.log.ask(np.stack([self._draw() for _ in range(self.tuning.together)]))

    def _draw(self) -> Images:
        image, rng = self.log.image, self.rng
        height, width, channels = image.shape
        across = max(1, max(height, width) // 2)
        side = int(across ** rng.random()) if rng.random() < self.tuning.blocks else 1
        shape = -(-height // side), -(-width // side)
        values = rng.random((*shape, channels))
        if rng.random() < self.tuning.ends:
            values = np.rint(values)
        changed = rng.random(shape) < (1.0 if rng.random() < self.tuning.whole else rng.random())
        rows, columns = np.arange(height)[:, None] // side, np.arange(width)[None] // side
        moves = (changed[rows, columns] & self._open)[..., None]
        return np.where(moves, values[rows, columns], image).astype(np.float32)
