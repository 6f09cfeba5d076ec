"""The random game: nature plays player II. Pixels are drawn from the mixture, values evenly, and nothing is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.moves import make_move_table
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.query_log import Search

DRAWS = 8  # games per batch: enough to fill a batch, few enough that a shorter flip soon bounds the next games
IDLE = 200  # batches in a row without a nearer flip, after which the search ends: small images run out of games
UNSEEN = 1e-12  # added to the density before its logarithm: far from every keypoint the density underflows to 0


class RandomPixels:
    """Games of drawn moves, each ended at a drawn length, and shortened by bisection where it flipped."""

    def __init__(self, task: Task) -> None:
        self.log = task.log
        self.moves = make_move_table(task.log.image, task.manipulation)
        if task.mask is not None:
            self.moves = self.moves.within(task.mask.ravel())
        height, width = task.log.image.shape[:2]
        self.density = np.full(height * width, 1.0) if task.mixture is None else task.mixture.density.ravel()
        self.rng = np.random.default_rng(task.seed)

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        log, moves, rng = self.log, self.moves, self.rng
        yield from log.ask(log.image[None])
        if log.found():
            return
        sizes = moves.size.reshape(-1, moves.count)
        open_pixels = np.flatnonzero(sizes.any(axis=1))
        chances = np.log(self.density[open_pixels] + UNSEEN)
        most, idle = len(open_pixels), 0
        while idle < IDLE and most > 0:
            before = log.distance
            # the largest of log p plus Gumbel noise are a draw without replacement
            noise = rng.gumbel(size=(DRAWS, len(chances)))
            order = open_pixels[np.argsort(-(chances + noise), axis=1, kind="stable")]
            values = np.where(sizes[order] > 0, rng.random(sizes[order].shape), -1).argmax(axis=-1)
            changes = order * moves.count + values
            lengths = np.ceil(most ** rng.random(DRAWS)).astype(np.int64)
            games = [tuple(changes[game, : lengths[game]].tolist()) for game in range(DRAWS)]
            gaps = yield from log.ask(moves.render(games))
            for game in np.flatnonzero(log.value(gaps) > 0).tolist():
                holds, flips = 0, int(lengths[game])
                while flips - holds > 1:
                    middle = (holds + flips) // 2
                    found = yield from log.ask(moves.render([games[game][:middle]]))
                    holds, flips = (holds, middle) if log.value(found)[0] > 0 else (middle, flips)
                most = min(most, flips - 1)
            idle = 0 if log.distance < before else idle + 1

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) how far each pixel was changed in the nearest adversarial image."""
        return change_map(self.log.image, self.log.best)


def change_map(image: NDArray[np.float32], other: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """(H, W) the greatest change of a channel at each pixel; 0 everywhere where there is no other image."""
    if other is None:
        return np.zeros(image.shape[:2])
    return np.asarray(np.abs(other - image).max(axis=-1), dtype=np.float64)


RANDOM_PIXELS = Attack(name="random_pixels", start=RandomPixels, uses_mixture=True, uses_manipulation=True)
