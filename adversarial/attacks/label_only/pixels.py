"""Search for the fewest changed pixels where the classifier answers with nothing but its decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.label_only.pixel_sets import PixelSets, leave_out
from adversarial.attacks.label_only.pixel_tuning import STANDARD, PixelTuning
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.random_pixels import change_map
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adversarial.attacks.label_only.pixel_sets import Changes, Lane
    from adversarial.query_log import Search


class LabelPixels:
    """One image's search: a large set of changes that is adversarial is made smaller, and its changes are exchanged for fewer.

    Args:
        task: the image, its mixture, the manipulation and the log.
        tuning: its constants.
    """

    def __init__(self, task: Task, tuning: PixelTuning = STANDARD) -> None:
        self.log, self.tuning, self.rng = task.log, tuning, np.random.default_rng(task.seed)
        moves = make_move_table(task.log.image, task.manipulation)
        if task.mask is not None:
            moves = moves.within(task.mask.ravel())
        self._any = self.rng.spawn(1)[0]  # so that sets of any size leave the other draws as they were
        self.moves, self.sets = moves, PixelSets(task.log, moves)
        self._sizes = moves.size.reshape(-1, moves.count)
        self._farthest = self._sizes.argmax(axis=1)  # the value of each pixel that changes it most
        self._is_open = np.take_along_axis(self._sizes, self._farthest[:, None], axis=1)[:, 0] > 0
        self._open = np.flatnonzero(self._is_open)  # the pixels that may be changed
        height, width = task.log.image.shape[:2]
        even = np.full(height * width, 1 / (height * width))
        density = even if task.mixture is None else task.mixture.density.ravel()
        self._density = (1 - tuning.uniform) * density + tuning.uniform * even
        self._log_density = np.log(self._density)
        self._near = tuning.near * max(1.0, math.sqrt(height * width) / tuning.near_side)
        self._begun = False

    @classmethod
    def going_on(cls, task: Task, smallest: Sequence[int] | None = None) -> LabelPixels:
        """The search for an image that another search has begun, with the smallest adversarial set that it found, or None."""
        made = cls(task)
        made._begun = True
        if smallest is not None:
            made.sets.smallest = np.sort(np.array(smallest, dtype=np.int64))
        return made

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        tuning = self.tuning
        if not self._begun:
            yield from self.log.ask(self.log.image[None])
            if self.log.found():
                return
        if not len(self._open):
            return
        lanes, known = self._starts(), self.sets.smallest
        if known is not None and len(known) > 1:
            lanes.append(leave_out(known, self.rng, tuning))
        while True:
            before, smallest = self.log.queries, self.sets.smallest
            found = yield from self.sets.race(lanes, tuning)
            rivals = [*found, *([] if smallest is None else [smallest])]
            if len(rivals) > 1:
                first, second = sorted(rivals, key=len)[:2]
                if len(second) <= tuning.mergeable * len(first):
                    found += yield from self.sets.race([self._merge(first, second) for _ in range(tuning.merges)], tuning)
            if found:
                yield from self._exchange(min(found, key=len))
            if self.sets.smallest is None:
                yield from self._draw_any(new=self.log.queries > before)
            if self.log.queries == before or (self.sets.smallest is not None and len(self.sets.smallest) == 1):
                return
            # sets that are reached from one start have much in common, and those from another one may be smaller
            lanes = [self._drawn_start() for _ in range(tuning.lanes)]
            if smallest is None and not found and self.sets.smallest is not None:  # by a set of any size
                lanes.append(leave_out(self.sets.smallest, self.rng, tuning))

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) how far each pixel was changed in the nearest adversarial image."""
        return change_map(self.log.image, self.log.best)

    def _starts(self) -> list[Lane]:
        """The first starts, as unlike each other as can be: which of them is near a small set differs from image to image."""
        return [
            self._start(self._scattered(), self._farthest),
            self._start(self._square(), self._patchwork()),
            self._start(self._blobs(), self._patchwork()),
            self._start(self._scattered(), self._patchwork(self.rng.integers(self.moves.count, size=1))),
        ]

    def _drawn_start(self) -> Lane:
        """A start of any kind, in few or many values and in finer or coarser blocks."""
        places = (self._scattered, self._square, self._blobs)[self.rng.integers(3)]
        if self.rng.random() < self.tuning.single:
            return self._start(places(), self._drawn_values())
        palette = self.rng.choice(self.moves.count, self.rng.integers(1, 1 + min(self.moves.count, self.tuning.palette)))
        return self._start(places(), self._patchwork(palette, 2.0 ** self.rng.integers(-1, 3)))

    def _draw_any(self, *, new: bool) -> Search:
        """Ask about sets of any size, each as likely, in pictures of few pixels: starts are large, and reach few of all sets.

        Where starts are nothing `new` any more, until one is adversarial or none drawn is new for long.
        """
        if len(self._open) > self.tuning.few_pixels or self.log.target is None:
            return
        idle = 0
        while self.sets.smallest is None and idle < self.tuning.idle:
            drawn = [self._any_set() for _ in range(self.tuning.lanes)]
            fresh = [changes for changes in drawn if self.sets.known(changes) is None]
            idle = 0 if fresh else idle + len(drawn)
            if fresh:
                yield from self.sets.ask(fresh)
                if new:
                    return

    def _any_set(self) -> Changes:
        """A set of any size, of any pixels and values."""
        pixels = self._any.permutation(self._open)[: self._any.integers(1, 1 + len(self._open))]
        values = np.where(self._sizes[pixels] > 0, self._any.random((len(pixels), self.moves.count)), -1).argmax(axis=1)
        return np.sort(pixels * self.moves.count + values)

    def _scattered(self) -> NDArray[np.int64]:
        """(P,) the pixels in an order drawn from the density."""
        return np.argsort(-self._drawn())  # no two are equal, so that the sort need not be a stable one, which takes longer

    def _drawn(self) -> NDArray[np.float64]:
        """(P,) numbers whose order is one drawn from the density."""
        return np.asarray(self._log_density + self.rng.gumbel(size=len(self._density)))

    def _square(self) -> NDArray[np.int64]:
        """(P,) the pixels in growing squares around one drawn from the density."""
        height, width = self.log.image.shape[:2]
        middle = int(self._drawn().argmax())
        rows, columns = np.divmod(np.arange(height * width), width)
        away = np.maximum(np.abs(rows - middle // width), np.abs(columns - middle % width))
        small = away.astype(np.uint16) if max(height, width) < 2**16 else away  # which numpy sorts by their digits
        return np.argsort(small, kind="stable")

    def _blobs(self) -> NDArray[np.int64]:
        """(P,) the pixels in growing blobs, where smooth noise is high."""
        from scipy.ndimage import gaussian_filter

        noise = self.rng.normal(size=self.log.image.shape[:2])
        return np.argsort(-gaussian_filter(noise, self._near).ravel())

    def _patchwork(self, palette: NDArray[np.int64] | None = None, coarse: float = 1.0) -> NDArray[np.int64]:
        """(P,) a value for each pixel, the same within small blocks, drawn from a palette or from all values."""
        height, width = self.log.image.shape[:2]
        side = max(1, round(coarse * self.tuning.block * self._near))
        shape = (height // side + 1, width // side + 1)
        blocks = self.rng.choice(np.arange(self.moves.count) if palette is None else palette, size=shape)
        return self._legal(blocks[np.arange(height)[:, None] // side, np.arange(width) // side].ravel())

    def _drawn_values(self) -> NDArray[np.int64]:
        """(P,) a value for each pixel, drawn from those that it may take."""
        return np.asarray(np.where(self._sizes > 0, self.rng.random(self._sizes.shape), -1).argmax(axis=1))

    def _legal(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same values, and the greatest change where a pixel may not take its value."""
        legal = self._sizes[np.arange(len(values)), values] > 0
        return np.asarray(np.where(legal, values, self._farthest))

    def _start(self, order: NDArray[np.int64], values: NDArray[np.int64]) -> Lane:
        """Change more and more pixels, in an order, each to its value, until a set flips; then make it smaller."""
        order = order[self._is_open[order]]
        changes, size = order * self.moves.count + values[order], self.tuning.first_rung
        rung = self.tuning.rung if self.log.target is None else self.tuning.target_rung
        while True:
            start = np.sort(changes[:size])
            if (yield start):
                return (yield from leave_out(start, self.rng, self.tuning))
            if size >= len(changes):
                return None
            size = int(size * rung) + 1

    def _merge(self, one: Changes, other: Changes) -> Lane:
        """Put two adversarial sets together and leave out what is not needed: the best of both may be fewer than either."""
        together = _one_per_pixel(np.concatenate([one, other]), self.moves.count)
        if (yield together):
            return (yield from leave_out(together, self.rng, self.tuning))
        return None

    def _exchange(self, current: Changes) -> Search:
        """Take some changes out of a set and put fewer, or as many, others in, until that has not helped for long."""
        idle, last = 0, self.log.queries
        while len(current) > 1 and idle < self.tuning.idle:
            # no share of the budget: a longer search must begin with the shorter one
            if self.log.queries - last >= max(self.tuning.least_patience, self.tuning.patience * self.log.queries):
                return
            swaps = [self._swap(current) for _ in range(self.tuning.lanes)]
            fresh = [swap for swap in swaps if len(swap) and self.sets.known(swap) is None]
            if not fresh:
                idle += 1
                continue
            idle = 0
            answers = yield from self.sets.ask(fresh)
            flipped = [swap for swap, flips in zip(fresh, answers, strict=True) if flips and len(swap) <= len(current)]
            if flipped:
                best = min(flipped, key=len)
                if len(best) < len(current):
                    last = self.log.queries
                current = best

    def _swap(self, current: Changes) -> Changes:
        """A set that shares most of its changes with the current one."""
        constants, rng, count = self.tuning, self.rng, self.moves.count
        height, width = self.log.image.shape[:2]
        taken = 1 + int(rng.choice(len(constants.taken), p=constants.taken))
        fewer = 1
        if len(current) >= constants.large:
            taken = max(taken, int(len(current) * constants.share * rng.random()))
            fewer = 1 + int(taken * rng.random())
        taken = min(taken, len(current))
        put = taken if rng.random() < constants.sideways else max(0, taken - fewer)
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
        return _one_per_pixel(np.concatenate([new, kept]), count)


def _one_per_pixel(changes: Changes, count: int) -> Changes:
    """The changes in ascending order; of several at one pixel, the first one given."""
    _, first = np.unique(changes // count, return_index=True)
    return np.sort(changes[first])


LABEL_PIXELS = Attack(name="label_pixels", start=LabelPixels, uses_mixture=True, uses_manipulation=True, labels_suffice=True)
