"""The search in L1: a search for few pixels, one for smaller moves of these, and one by waves, in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.sparse_moves.amounts import Amounts
from adversarial.attacks.tuning import STANDARD, Tuning
from adversarial.query_log import BudgetSpent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.search import PixelSearch
    from adversarial.attacks.registry import ImageSearch
    from adversarial.query_log import QueryLog, Search

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]


class SparseMoves:
    """One image's search for the smallest change in L1.

    The nearest flip in L1 of a linear classifier moves the steepest values to an end of the colour cube, so that few pixels
    are a good start: the search for the fewest pixels has most of the queries. What it finds is moved back towards the
    original (see `Amounts`). The search by waves, which knows all values a little, has the rest, or half of the queries while
    the nearest image differs in many pixels; it goes on from that image. The turns are counted in queries and do not depend
    on the budget.

    Args:
        log: the image, its budget and the answers.
        pixels: the search for few pixels, in the same log.
        waves: the search by waves, in the same log or one of a smaller picture of it.
        tuning: the constants.
    """

    def __init__(self, log: QueryLog, pixels: PixelSearch, waves: ImageSearch, tuning: Tuning = STANDARD) -> None:
        self.log, self.pixels, self.waves, self.tuning = log, pixels, waves, tuning.sparse_moves
        self.amounts = Amounts(log, tuning.sparse_moves)
        self._lowered: int | None = None  # the set that was lowered last
        self._least = np.inf  # the distance that lowering left

    def steps(self) -> Search:
        """The whole search; ends by itself when neither of the searches has anything left to ask.

        Raises:
            BudgetSpent: the budget ended first.
        """
        log, constants = self.log, self.tuning
        pixels, waves = _Turns(log, self.pixels.steps()), _Turns(log, self.waves.steps())
        yield from pixels.until(constants.alone)
        if log.distance == 0:
            return
        before, due = 0, 0.0
        while not (pixels.over and waves.over):
            yield from self._lower()
            due += self._share() * (log.queries - before)
            if due >= constants.turn or pixels.over:
                yield from waves.until(log.queries + max(constants.turn, int(due)))
                due = 0.0
                yield from self._lower()
            before = log.queries
            yield from pixels.until(log.queries + constants.turn)
        yield from self._lower()

    def _share(self) -> float:
        """Queries by waves for each other one."""
        few = self.log.best is not None and len(self.amounts.parts(self.log.best)) <= self.tuning.most_parts
        return self.tuning.waves if few else self.tuning.many_waves

    def _lower(self) -> Search:
        """Lower what was found since the last time: the smallest set, and what is nearest."""
        tree, log = self.pixels.tree, self.log
        if tree.best is not None and tree.best != self._lowered:
            self._lowered = tree.best
            yield from self.amounts.lower(tree.moves.render([tree.sets[tree.best]])[0], float(tree.value[tree.best]))
        if log.best is not None and log.best_scores is not None and log.distance < self._least:
            yield from self.amounts.lower(log.best, float(log.value(log.gaps(log.best_scores[None]))[0]))
        self._least = log.distance

    def evidence(self) -> Floats:
        """(H, W): that of the search for few pixels, or that of the waves where it has none."""
        found = self.pixels.evidence()
        return found if found.any() else self.waves.evidence()


class _Turns:
    """A search that asks a part of its questions at a time; `over` once it ended."""

    def __init__(self, log: QueryLog, steps: Search) -> None:
        self.log, self.over, self._steps = log, False, steps
        self._waiting: Array | None = None

    def until(self, queries: int) -> Search:
        """Go on until so many queries were made in all."""
        try:
            while not self.over and self.log.queries < queries:
                if self._waiting is None:
                    self._waiting = next(self._steps)
                images, self._waiting = self._waiting, None
                if len(images) > self.log.left:
                    yield from self._last(images)
                self._waiting = self._steps.send((yield images))
        except StopIteration:
            self.over = True
        except BudgetSpent:
            self.over = True
            if self.log.left <= 0:
                raise

    def _last(self, images: Array) -> Search:
        """Ask about as many of images that waited while others used the budget up as are left."""
        if self.log.left > 0 and not self.log.tolerant:
            images = images[: self.log.left]
            self.log.take(images, (yield images))
        raise BudgetSpent
