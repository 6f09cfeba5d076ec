"""A large picture as a smaller one, whose pixels are blocks of it: for searches that change all pixels a little."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, LargePictureTuning
from adversarial.distances.levels import PICTURE
from adversarial.query_log import QueryLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from adversarial.attacks.registry import ImageSearch, Task
    from adversarial.query_log import Asking, Search

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

IN_CACHE = 65_536  # numbers that are moved at a time: what was written must still be in the processor's cache to be clipped


def block_side(shape: tuple[int, ...], power: float | None, tuning: LargePictureTuning = STANDARD.large_pictures) -> int:
    """The side in pixels of the blocks in which an image of a shape (H, W, C) is searched; 1 where it is small enough.

    Distances that are no p-norms are searched pixel by pixel: they may weigh pixels apart.
    """
    if power is None or (power <= 1 and math.prod(shape) <= tuning.whole):
        return 1
    less = tuning.edged if power <= 1 or math.isinf(power) else 0.0
    return max(1, math.ceil(math.sqrt(math.prod(shape) / tuning.numbers) - less))


def coarsely(task: Task, begin: Callable[[Task], ImageSearch]) -> ImageSearch:
    """The search that `begin` makes; on a large picture, one of blocks of pixels that move together.

    A search of a few thousand queries learns no more about a million values than about some ten thousand, and what networks
    react to lies mostly in the low frequencies (Guo et al. 2019, "Low frequency adversarial perturbation").
    """
    block = block_side(task.log.image.shape, task.distance.power)
    return begin(task) if block == 1 else CoarseSearch(task, begin, block)


class CoarseSearch:
    """One image's search on the picture of its blocks; see `coarsely`.

    Attributes:
        log: the log of that picture.
        search: the search that asks it.
    """

    def __init__(self, task: Task, begin: Callable[[Task], ImageSearch], block: int) -> None:
        self.log = CoarseLog(task.log, block, task.distance.power, task.mask)
        mask = None if task.mask is None else pooled(task.mask[..., None].astype(np.float32), block)[..., 0] > 0
        self.search = begin(replace(task, log=self.log, mask=mask))

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from self.search.steps()

    def evidence(self) -> Floats:
        """(H, W): that of the search, the same at each pixel of a block."""
        height, width = self.log.fine.image.shape[:2]
        found = np.repeat(np.repeat(self.search.evidence(), self.log.block, axis=0), self.log.block, axis=1)
        return np.asarray(found[:height, :width])


class CoarseLog(QueryLog):
    """The log of a large picture, for a search that sees the mean of each block as one pixel.

    What such a pixel moves by, all pixels of its block move by, as far as the colour cube allows. Everything is counted and
    kept in the log of the large picture; distances are in the unit of the small one.

    Args:
        fine: the log of the large picture.
        block: pixels per side of a block; those at the lower and right edges may be smaller.
        power: p of the p-norm that is made small.
        mask: (H, W) pixels of the large picture that may change, or None for all.

    Attributes:
        fine: see above.
        block: see above.
    """

    def __init__(
        self, fine: QueryLog, block: int, power: float | None, mask: NDArray[np.bool_] | None = None,
        tuning: LargePictureTuning = STANDARD.large_pictures,
    ) -> None:  # fmt: skip
        self.fine, self.block = fine, block
        image, measured_in = pooled(fine.image, block), fine.measured_in
        super().__init__(
            image, fine.label, fine.target, distance=measured_in, budget=fine.budget, kind=fine.kind, limit=fine.limit,
            levels=fine.levels, tolerant=fine.tolerant,
        )  # fmt: skip
        fine.repeats = None  # they are told here, where it takes less time
        # a block of b by b pixels that move by 1 is b^(2/p) times as far as one pixel
        self._unit = 1.0 if power is None or math.isinf(power) else float(block) ** (2 / power)
        self._kept = None if mask is None or mask.all() else ~mask[..., None]
        self._together = max(tuning.least_together, tuning.together // fine.image.size)
        self._nearest = math.inf
        self._space = np.empty((0, *fine.image.shape), dtype=np.float32)
        # on a grid, pictures are made in units of its steps, and lie on it as they are written
        self._steps = fine.levels - 1 if fine.levels is not None and fine.levels <= PICTURE else None
        self._original = fine.image if self._steps is None else np.rint(fine.image * np.float32(self._steps))
        self._follow(self.image[None], 0)

    @property
    def bounded(self) -> bool:
        """See `QueryLog`; the large picture's log computes the gaps."""
        return self.fine.bounded

    @bounded.setter
    def bounded(self, value: bool) -> None:
        self.fine.bounded = value

    @property
    def queries(self) -> int:
        """See `QueryLog.queries`."""
        return self.fine.queries

    @property
    def unmoved(self) -> float:
        """See `QueryLog.unmoved`."""
        return self.fine.unmoved

    @property
    def unit(self) -> np.float64:
        """See `QueryLog.unit`."""
        return self.fine.unit

    @property
    def coarse(self) -> bool:
        """See `QueryLog.coarse`."""
        return self.fine.coarse

    def gaps(self, scores: Floats, reached: NDArray[np.bool_] | None = None) -> Floats:
        """See `QueryLog.gaps`."""
        return self.fine.gaps(scores, reached)

    def ask(self, images: Images, *, fitting: bool = False) -> Asking:
        """Ask about the large pictures of small ones (n, h, w, C), a part of them at a time; see `QueryLog.ask`.

        Whether the small ones are `fitting` says nothing about the large ones.

        Raises:
            BudgetSpent: nothing was left.
        """
        del fitting
        if self.levels is None or self.repeats is None:
            return (yield from self._ask(images))
        # blocks that move by the same levels are the same large picture
        moves = np.rint((images - self.image) * (self.levels - 1)).astype(np.int32)
        return (yield from self.repeats.ask(images, self._ask, moves))

    def _ask(self, images: Images) -> Asking:
        gaps: list[Floats] = []
        for start in range(0, len(images), self._together):
            if start and self.left <= 0:
                break
            some, before = images[start : start + self._together], self.queries
            gaps.append((yield from self.fine.ask(self.finer(some), fitting=self._steps is not None)))
            self._follow(some, before)
        return gaps[0] if len(gaps) == 1 else np.concatenate(gaps)

    def take(self, images: Images, scores: Floats) -> Floats:
        """See `QueryLog.take`."""
        before = self.queries
        gaps = self.fine.take(self.fine.on_grid(self.finer(images)), scores)
        self._follow(images, before)
        return gaps

    def finer(self, images: Images) -> Images:
        """The large pictures (n, H, W, C) of small ones (n, h, w, C), on the grid of an 8-bit picture or less, if there is one.

        The next call writes where they lie.
        """
        original, block = self._original, self.block
        height, width, channels = original.shape
        if len(self._space) < len(images):
            self._space = np.empty((len(images), *original.shape), dtype=np.float32)
        fine = self._space[: len(images)]
        moves = np.asarray(images, dtype=np.float32) - self.image
        if self._steps is not None:  # whole steps of the grid: as the original's are whole, so are the sums
            moves *= np.float32(self._steps)
            np.rint(moves, out=moves)
        wide = np.repeat(moves, block, axis=2)[:, :, :width].reshape(len(moves), -1, width * channels)
        row = block * width * channels  # numbers in a row of blocks; the last one may be lower
        step = max(1, IN_CACHE // row)
        for picture, move in zip(fine, wide, strict=True):
            values, before = picture.reshape(-1), original.reshape(-1)
            for first in range(0, len(move), step):
                some, part = move[first : first + step, None], slice(first * row, (first + step) * row)
                whole = min(first + step, height // block) - first  # rows of blocks that are not lower
                _added(before[part][: whole * row], some[:whole], values[part][: whole * row])
                _added(before[part][whole * row :], some[whole:], values[part][whole * row :])
                np.clip(values[part], 0, np.float32(self._steps or 1), out=values[part])
                if self._steps is not None:
                    np.divide(values[part], np.float32(self._steps), out=values[part])
            if self._kept is not None:
                np.copyto(picture, self.fine.image, where=self._kept)
        return fine

    def _follow(self, images: Images, before: int) -> None:
        """Take over what the large picture's log found in images that were asked after `before` queries."""
        fine = self.fine
        self.clean = fine.clean
        if fine.best is None or fine.distance >= self._nearest:
            return
        row = 0
        if fine.distance > 0:
            row = fine.points[-1][0] - before - 1
            if row < 0 and not fine.tolerant:  # found by another search in the large picture
                return
            if fine.tolerant or not 0 <= row < len(images):  # with noise, other queries come between
                found = (place for place, one in enumerate(images) if np.array_equal(self._asked_as(one), fine.best))
                row = next(found, -1)
        if row >= 0:
            self.best = self.image if fine.distance == 0 else np.array(images[row], dtype=np.float32)
            self.best_scores, self._nearest, self.distance = fine.best_scores, fine.distance, fine.distance / self._unit

    def _asked_as(self, image: Images) -> Images:
        return np.asarray(self.fine.on_grid(self.finer(image[None]))[0])


def _added(before: Images, moves: Images, written: Images) -> None:
    """Write rows of blocks of a picture (S,), each with its own moves (n, 1, W C) added in all its rows of pixels."""
    if len(moves):
        shape = len(moves), -1, moves.shape[-1]
        np.add(before.reshape(shape), moves, out=written.reshape(shape))


def pooled(image: Images, block: int) -> Images:
    """(h, w, C) the means of the blocks of an image (H, W, C); those at the lower and right edges may be smaller."""
    height, width = image.shape[:2]
    down, across = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float64), down, axis=0), across, axis=1)
    areas = np.outer(np.diff(np.append(down, height)), np.diff(np.append(across, width)))
    return np.asarray(sums / areas[..., None], dtype=np.float32)
