"""Search for the smallest change in L1, L2 or L-infinity: a linear model of the scores, learned from waves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.shrink import towards_original
from adversarial.attacks.label_only.drawn_starts import DrawnStarts
from adversarial.attacks.large_pictures.wave_images import WaveImages, correct, expected, is_large
from adversarial.attacks.tuning import STANDARD, Tuning
from adversarial.attacks.wave_basis import Waves, between, borrow, give_back, longer
from adversarial.margins import deciding
from adversarial.query_log import BudgetSpent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    from adversarial.attacks.registry import ImageSearch
    from adversarial.distances.distance import Distance
    from adversarial.query_log import Asking, QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Array: TypeAlias = NDArray[np.float32]


class WaveSearch:
    """One image's search for the smallest change in a distance with a geometry (see `Distance.nearest`).

    The gaps between the scores are modelled as linear. The model is learned from waves (cosines of low frequency, channel by
    channel) added to the original, and corrected at the boundary by waves added there. The model's nearest flip inside the
    colour cube is what the distance itself says it is (Moosavi-Dezfooli et al. 2016, section 2, for the unbounded case).

    Args:
        log: the image, its budget and the answers.
        distance: what to make small; must have `nearest`.
        rng: all chance comes from here: the same seed, the same search.
        mask: (H W,) the pixels that may change, or None for all.
        tuning: its constants.
        by_decision: makes a search that needs no scores, for classifiers whose scores turn out to tell little; None for none.
        by_starts: makes the search that goes on where the model's nearest flips are none after some tries; None to go on here.

    Attributes:
        model: (H W C, A) slope of each followed gap, in gap per unit of value; learned on the way.
        columns: (A,) the gaps that are followed.
    """

    def __init__(
        self, log: QueryLog, distance: Distance, rng: np.random.Generator,
        mask: NDArray[np.bool_] | None = None, tuning: Tuning = STANDARD,
        by_decision: Callable[[], ImageSearch] | None = None, by_starts: Callable[[], ImageSearch] | None = None,
    ) -> None:  # fmt: skip
        self.by_decision, self.by_starts = by_decision, by_starts
        self._fallen: ImageSearch | None = None
        self.log, self.distance, self.rng = log, distance, rng
        self.leaves, self.tuning, self._tuning = tuning.leaves, tuning.waves, tuning
        self.image = log.image.astype(np.float32)
        self.size = self.image.size
        allowed = None if mask is None else np.repeat(mask.reshape(-1), self.image.shape[2]).astype(np.float32)
        self._exact = self.image.astype(np.float64)
        flat = self._exact.ravel()
        self.low, self.high = -flat, 1.0 - flat  # the colour cube, as moves from the original
        if allowed is not None:
            self.low, self.high = self.low * allowed, self.high * allowed
        # a wave moves each value by about the same, however many values an image has
        self.waves = Waves(self.image.shape, self.tuning.length * float(np.sqrt(self.size / 1000)), self.tuning.room, allowed)
        self.columns = np.zeros(0, dtype=np.int64)
        self._large: WaveImages | None = None
        if is_large(self.size, tuning.large_pictures):
            even = None if allowed is None else allowed.reshape(self.image.shape)[..., 0]
            self._large = WaveImages(self.image.shape, log.levels, even, tuning.large_pictures)
        self.model = self._no_slopes(0)
        self._ahead = 0.0  # how far the label is ahead in the original
        self._drawn = DrawnStarts(log, rng, mask, tuning.drawn)

    def steps(self) -> Search:
        """The whole search: yields images to ask about, and ends by itself when nothing brings progress any more.

        While nothing is found, it does not end: starts are drawn at random then.

        Raises:
            BudgetSpent: the budget ended first.
        """
        try:
            yield from self._search()
        except BudgetSpent:  # or it asked nothing new any more
            if self.log.left <= 0 or self.log.found():
                raise
        if not self.log.found():
            yield from self._drawn.until_found()
            if self.log.found():
                yield from towards_original(self.log, self._tuning)
                yield from self._descend(self._ahead)

    def _search(self) -> Search:
        """The search up to where it has nothing more to ask."""
        gaps = yield from self.log.ask(self.image[None])
        if self.log.distance == 0:
            return
        if self.by_decision is not None and self._vanish():
            self._fallen = self.by_decision()
            yield from self._fallen.steps()
            return
        gaps = deciding(gaps, every=self.log.every)
        self.columns = np.argsort(-gaps[0], kind="stable")[: self.tuning.classes]
        self.model = self._no_slopes(len(self.columns))
        here, at = np.zeros(self.size), gaps[0, self.columns]
        self._ahead = float(-at.max())
        yield from self._learn(here, at, self.tuning.opening)
        if self.by_decision is not None and self.log.coarse and self.log.unmoved > self.tuning.unmoved:
            self._fallen = self.by_decision()
            yield from self._fallen.steps()
            return
        tries = 0
        while not (tries and self.log.found()):  # a wave may have flipped, but to a class that is far away
            if self.by_starts is not None and tries == self.tuning.tries:
                self._fallen = self.by_starts()
                yield from self._fallen.steps()
                return
            here, at = yield from self._approach(here, at)
            tries += 1
            if not self.log.found():
                yield from self._learn(here, at, self.tuning.first_probes * self.leaves)
            # a start that is drawn sooner would be farther away than others are
            late = self.by_starts is None and tries >= self.tuning.tries
            if late and self.log.every and self._drawn.few and not self.log.found():
                yield from self._drawn.some()
        yield from towards_original(self.log, self._tuning)
        yield from self._descend(self._ahead)

    def _no_slopes(self, gaps: int) -> Floats:
        return np.zeros((self.size, gaps), dtype=np.float64 if self._large is None else np.float32)

    def _vanish(self) -> bool:
        """Whether the crests of most waves are less than half a step of the levels, so that rounding undoes the waves."""
        height, width = self.image.shape[:2]
        crest = 2 * self.waves.length / math.sqrt(height * width)  # of the product of two cosines
        return self.log.levels is not None and 2 * crest * (self.log.levels - 1) < 1

    def evidence(self) -> Floats:
        """(H, W): the steepness of the model at each pixel, towards the class that was nearest."""
        if self._fallen is not None:
            return self._fallen.evidence()
        if not self.model.shape[1]:
            return np.zeros(self.image.shape[:2])
        scores = self.log.best_scores
        column = (
            0 if scores is None else int(deciding(self.log.gaps(scores[None]), every=self.log.every)[0, self.columns].argmax())
        )
        return np.asarray(np.abs(self.model[:, column]).reshape(self.image.shape).max(axis=-1) * self.log.unit)

    def _descend(self, start: float) -> Search:
        """Make the best adversarial image nearer, step by step, with more probes the less helps.

        `start` is how far the label was ahead in the original.
        """
        probes, idle = self.leaves, 0
        while idle < self.tuning.patience:
            before = self.log.distance
            if self.log.best_scores is None:
                return
            yield from self.step(start, probes)
            better = self.log.distance < before * self.tuning.progress
            idle = 0 if better else idle + 1
            # the less helps, the more is asked before the next step: the model is probably wrong here
            probes = self.leaves if better else min(self.tuning.most_probes * self.leaves, 2 * probes)

    def step(self, start: float, probes: int) -> Search:
        """Correct the model at the best adversarial image by so many probes, and ask about its nearest flips from there."""
        best, scores = self.log.best, self.log.best_scores
        if best is None or scores is None:
            return
        here = (best - self.image).ravel().astype(np.float64)
        at = deciding(self.log.gaps(scores[None]), every=self.log.every)[0, self.columns]
        yield from self._learn(here, at, probes)
        yield from self._refine(here, at, start)

    def _learn(self, here: Floats, at: Floats, count: int) -> Search:
        """Ask about `count` waves around the move `here`, where the gaps are `at`, and correct the model by the answers."""
        while count > 0:
            number = min(count, self.tuning.block * self.leaves)
            count -= number
            if self._large is not None:
                yield from self._learn_apart(self._large, here, at, number)
                continue
            waves = self.waves.next(number)
            # up or down at random, so that what bends the scores does not bias all answers in the same direction
            signs = np.where(self.rng.random(number) < 0.5, -1.0, 1.0)
            space = borrow(number, self.size)
            images, moves = waves.around(here, signs, self.low, self.high, self._exact, space)
            kept = longer(moves, self.tuning.shortest * self.waves.length)
            if not kept.any():
                return
            if not kept.all():
                images, moves = images[kept], moves[kept]
            gaps = self._followed((yield from self.log.ask(images)))
            moves = moves[: len(gaps)]  # the budget may have ended within the batch
            wrong = gaps - at - moves @ self.model
            self.model += self.correction(moves, wrong)
            give_back(space)  # the answers are there, so that nobody holds the images any more

    def _learn_apart(self, large: WaveImages, here: Floats, at: Floats, number: int) -> Search:
        """See `_learn`, of a large picture, where each wave is computed in its channel alone."""
        signs = np.where(self.rng.random(number) < 0.5, -1.0, 1.0)
        waves, channels = self.waves.factors(number, signs), self.image.shape[-1]
        large.begin((here + self._exact.ravel()).reshape(self.image.shape), number)
        asked: list[Array] = []
        told: list[Floats] = []
        numbers: list[NDArray[np.int64]] = []
        for first in range(0, number, large.together):
            if first and self.log.left <= 0:
                break
            images, moves = large.around(waves, first)
            kept = np.flatnonzero(longer(moves, self.tuning.shortest * self.waves.length))
            if not len(kept):
                continue
            if len(kept) < len(moves):
                images, moves = images[kept], moves[kept]
            gaps = self._followed((yield from self.log.ask(images, fitting=True)))
            asked.append(moves[: len(gaps)])  # the budget may have ended within the batch
            told.append(gaps)
            numbers.append(first + kept[: len(gaps)])
        if not asked:
            return
        moves = asked[0] if len(asked) == 1 else np.concatenate(asked)
        each = waves.channels[np.concatenate(numbers)]
        wrong = np.concatenate(told) - at - expected(self.model, moves, each, channels)
        correct(self.model, moves, each, wrong, self.tuning.ridge * self.waves.length**2, channels)

    def correction(self, moves: Floats, wrong: Floats) -> Floats:
        """What to add to the model, (S, A), so that it no longer errs by `wrong` (n, A) at `moves` (n, S).

        This is a block of Kaczmarz projections (Elfving 1980): of all models that reproduce the answers, up to the ridge, it
        leads to the one nearest to the model so far.
        """
        return projection(moves, wrong, self.tuning.ridge * self.waves.length**2)

    def _approach(self, here: Floats, at: Floats) -> Generator[Array, Floats, tuple[Floats, Floats]]:
        """Ask about the model's nearest flips to the nearest classes, short of them and beyond; the point that came closest."""
        needs = at - here.astype(self.model.dtype, copy=False) @ self.model  # the model's gaps at the original
        flips = np.stack([self._nearest(column, -needs[column]) for column in range(len(self.columns))])
        lengths = self.distance.measure(flips.reshape(-1, *self.image.shape))
        classes = np.argsort(lengths, kind="stable")[: self.tuning.flips]
        points = np.stack([self._nearest(column, -level * needs[column]) for column in classes for level in self.tuning.levels])
        gaps = yield from self._ask(points)
        best = int(gaps.max(axis=1).argmax())
        if gaps[best].max() <= at.max():
            grown = np.clip(here * self.tuning.outward + self.waves.take(1)[0], self.low, self.high)
            gaps, points, best = (yield from self._ask(grown[None])), grown[None], 0
        return points[best], gaps[best]

    def _refine(self, here: Floats, at: Floats, start: float) -> Search:
        """Ask about points between the best so far and the model's nearest flip."""
        needs = at - here.astype(self.model.dtype, copy=False) @ self.model
        column = int(at.argmax())
        flips = np.stack([self._nearest(column, slack * start - needs[column]) for slack in self.tuning.slack])
        if self._large is not None:  # the nearest flips of L1 differ in few values
            places = np.flatnonzero((flips != here).any(axis=0))
            still = here[places] + self._exact.ravel()[places]
            ways = np.array(self.tuning.blends)[:, None, None] * (flips[:, places] - here[places])
            self._large.begin((here + self._exact.ravel()).reshape(self.image.shape), 0)
            images = self._large.with_values(places, (ways + still).reshape(-1, len(places)))
            yield from self.log.ask(images, fitting=True)
            return
        flips -= here
        points = np.array(self.tuning.blends)[:, None, None] * flips
        points += here
        yield from self._ask(points.reshape(-1, self.size))

    def _ask(self, moves: Floats) -> Asking:
        images = between(moves.reshape(-1, *self.image.shape) + self._exact, 0.0, 1.0).astype(np.float32)
        return self._followed((yield from self.log.ask(images)))

    def _followed(self, gaps: Floats) -> Floats:
        return deciding(gaps, every=self.log.every)[:, self.columns]

    def _nearest(self, column: int, need: float) -> Floats:
        """The smallest move inside the colour cube that, by the model, raises a gap by `need`."""
        if need <= 0 or self.distance.nearest is None:
            return np.zeros(self.size)
        steepness = np.ascontiguousarray(self.model[:, column], dtype=np.float64)
        slope, low, high = (array.reshape(self.image.shape) for array in (steepness, self.low, self.high))
        return self.distance.nearest(slope, need, low, high).ravel()


def projection(moves: Floats, wrong: Floats, ridge: float) -> Floats:
    """The smallest correction D of a linear model, (S, A), with moves @ D = wrong, up to the ridge.

    Args:
        moves: (n, S), one per answer.
        wrong: (n, A), what each answer was above the model.
        ridge: added to the diagonal of the Gram matrix; 0 for an exact projection.
    """
    gram = moves @ moves.T
    gram[np.diag_indices_from(gram)] += ridge
    return np.asarray(moves.T @ np.linalg.solve(gram, wrong))
