"""Search for the fewest changed pixels where the classifier answers with nothing but its decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.label_only.pixel_sets import PixelSets, leave_out
from adversarial.attacks.label_only.pixel_tuning import PixelTuning
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.random_pixels import change_map
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.label_only.pixel_sets import Changes, Lane
    from adversarial.query_log import Search


class LabelPixels:
    """One image's search: a large set of changes that is adversarial is made smaller, and its changes are exchanged for fewer.

    Args:
        task: the image, its mixture, the manipulation and the log.
        tuning: its constants.
    """

    def __init__(self, task: Task, tuning: PixelTuning = PixelTuning()) -> None:
        self.log, self.tuning, self.rng = task.log, tuning, np.random.default_rng(task.seed)
        moves = make_move_table(task.log.image, task.manipulation)
        if task.mask is not None:
            moves = moves.within(task.mask.ravel())
        self.moves, self.sets = moves, PixelSets(task.log, moves)
        self._sizes = moves.size.reshape(-1, moves.count)
        self._open = np.flatnonzero(self._sizes.any(axis=1))  # the pixels that may be changed
        height, width = task.log.image.shape[:2]
        even = np.full(height * width, 1 / (height * width))
        density = even if task.mixture is None else task.mixture.density.ravel()
        self._density = (1 - tuning.uniform) * density + tuning.uniform * even
        self._near = tuning.near * max(1.0, max(height, width) / tuning.near_side)

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from self.log.ask(self.log.image[None])
        if self.log.found() or not len(self._open):
            return
        farthest = self._sizes.argmax(axis=1)
        values = [farthest, self._drawn_values(), farthest]
        yield from self.sets.side_by_side([self._start(one) for one in values])
        while self.sets.smallest is None:
            yield from self.sets.side_by_side([self._start(self._drawn_values()) for _ in range(self.tuning.lanes)])
        yield from self._exchange()

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) how far each pixel was changed in the nearest adversarial image."""
        return change_map(self.log.image, self.log.best)

    def _drawn_values(self) -> NDArray[np.int64]:
        """(P,) a value for each pixel, drawn from those that it may take."""
        return np.asarray(np.where(self._sizes > 0, self.rng.random(self._sizes.shape), -1).argmax(axis=1))

    def _start(self, values: NDArray[np.int64]) -> Lane:
        """Change more and more pixels, drawn from the density, each to its value, until a set flips; then make it smaller."""
        noisy = np.log(self._density[self._open]) + self.rng.gumbel(size=len(self._open))
        order = self._open[np.argsort(-noisy, kind="stable")]
        changes, size = order * self.moves.count + values[order], self.tuning.first_rung
        while True:
            start = np.sort(changes[:size])
            if (yield start):
                return (yield from leave_out(start, self.rng, self.tuning))
            if size >= len(changes):
                return None
            size = int(size * self.tuning.rung) + 1

    def _exchange(self) -> Search:
        """Take some changes out of the smallest set and put fewer, or as many, others in, as long as there are queries."""
        current, idle = self.sets.smallest, 0
        while current is not None and len(current) > 1 and idle < self.tuning.idle:
            swaps = [self._swap(current) for _ in range(self.tuning.lanes)]
            fresh = [swap for swap in swaps if len(swap) and self.sets.known(swap) is None]
            if not fresh:
                idle += 1
                continue
            idle = 0
            answers = yield from self.sets.ask(fresh)
            flipped = [swap for swap, flips in zip(fresh, answers, strict=True) if flips and len(swap) <= len(current)]
            if flipped:
                current = min(flipped, key=len)

    def _swap(self, current: Changes) -> Changes:
        """A set that shares most of its changes with the current one."""
        constants, rng, count = self.tuning, self.rng, self.moves.count
        height, width = self.log.image.shape[:2]
        taken = min(1 + rng.choice(len(constants.taken), p=constants.taken), len(current))
        put = taken if rng.random() < constants.sideways else taken - 1
        kept = np.delete(current, rng.choice(len(current), taken, replace=False))
        models = rng.choice(current, put)
        pixels, copies = models // count, models % count
        rows = np.clip(pixels // width + np.rint(self._near * rng.normal(size=put)), 0, height - 1).astype(np.int64)
        columns = np.clip(pixels % width + np.rint(self._near * rng.normal(size=put)), 0, width - 1).astype(np.int64)
        places = np.where(rng.random(put) < constants.anywhere, rng.choice(self._open, put), rows * width + columns)
        sizes = self._sizes[places]
        drawn = np.where(sizes > 0, rng.random(sizes.shape), -1).argmax(axis=1)
        values = np.where(rng.random(put) < constants.copied, copies, drawn)
        values = np.where(rng.random(put) < constants.farthest, sizes.argmax(axis=1), values)
        legal = sizes[np.arange(put), values] > 0
        new = (places * count + values)[legal]
        # where a pixel comes twice, the change put in last is the one that holds
        together = np.concatenate([new, kept])
        _, first = np.unique(together // count, return_index=True)
        return np.sort(together[first])


LABEL_PIXELS = Attack(name="label_pixels", start=LabelPixels, uses_mixture=True, uses_manipulation=True, labels_suffice=True)
